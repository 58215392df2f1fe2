//! People on SQL: users as projected from the log, and beside the log their private rows, sign-ins and signing keys.

mod accounts;
mod cached_standings;
mod directory;
mod entity;
mod projection;
mod sessions;
mod signing_keys;
mod users;

pub use accounts::SqlAccounts;
pub use cached_standings::CachedStandings;
pub use directory::AccountDirectory;
pub use projection::UsersProjection;
pub use sessions::SqlSessions;
pub use signing_keys::SqlSigningKeys;
pub use users::SqlUsers;
