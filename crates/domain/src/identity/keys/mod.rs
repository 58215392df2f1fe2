//! API keys: access of programs to one project, never with more permissions than the issuer has.
//!
//! The secrets of a key are stored outside the log; events refer to them by id.

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
