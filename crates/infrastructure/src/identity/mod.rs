//! Identity on SQL: users derived from the log, and beside it their private rows and sessions.

mod account_changes;
mod accounts;
mod addressees;
mod attempts;
mod cached_standings;
mod claims;
mod directory;
mod entity;
mod erasures;
mod invitations;
mod keys;
mod projection;
mod session_list;
mod sessions;
mod users;

pub use accounts::SqlAccounts;
pub use addressees::SqlAddressees;
pub use attempts::SqlAttempts;
pub use cached_standings::CachedStandings;
pub use claims::HeldByPeople;
pub use directory::AccountDirectory;
pub use erasures::FileErasures;
pub use invitations::SqlInvitations;
pub use keys::{ApiKeysProjection, CachedKeyStandings, SqlApiKeys, SqlKeyUses, SqlKeyVault};
pub use projection::UsersProjection;
pub use sessions::SqlSessions;
pub use users::SqlUsers;
