//! Project secrets on SQL, their values sealed beside the log.

mod entity;
mod projection;
mod vault;
mod views;

pub use projection::SecretsProjection;
pub use vault::SqlSecretVault;
pub use views::SqlSecrets;
