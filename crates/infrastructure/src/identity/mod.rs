//! People on SQL: users as projected from the log, and beside the log their private rows and sign-ins.

mod accounts;
mod cached_standings;
mod directory;
mod entity;
mod keys;
mod projection;
mod sessions;
mod users;

pub use accounts::SqlAccounts;
pub use cached_standings::CachedStandings;
pub use directory::AccountDirectory;
pub use keys::{ApiKeysProjection, CachedKeyStandings, SqlApiKeys, SqlKeyUses, SqlKeyVault};
pub use projection::UsersProjection;
pub use sessions::SqlSessions;
pub use users::SqlUsers;
