//! API keys: how programs get into one project, never with more power than the person who issued the key.
//!
//! A key's secrets live outside the log; events name them by id only.

mod api_key;
mod error;
mod event;
mod values;

#[cfg(test)]
mod tests;

pub use api_key::{ApiKey, ApiKeyDetails, KeyRequest, LONGEST_LIFE, LONGEST_OVERLAP, Renewal};
pub use error::ApiKeyError;
pub use event::{ApiKeyEvent, ApiKeyIssued, ApiKeyRevoked, ApiKeyRotated};
pub use values::{KeyName, KeyScope};
