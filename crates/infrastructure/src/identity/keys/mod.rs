//! API keys on SQL: keys derived from the log, and beside it the digests of their secrets and their last uses.

mod cached_standings;
mod entity;
mod projection;
mod uses;
mod vault;
mod views;

pub use cached_standings::CachedKeyStandings;
pub use projection::ApiKeysProjection;
pub use uses::SqlKeyUses;
pub use vault::SqlKeyVault;
pub use views::SqlApiKeys;
