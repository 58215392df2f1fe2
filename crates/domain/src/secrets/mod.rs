//! Credentials of a project's tools: secrets by name, bound to the hosts they may be sent to. The values are stored
//! outside the log; events refer to them by id.

mod error;
mod event;
mod secret;
mod values;

#[cfg(test)]
mod tests;

pub use error::SecretError;
pub use event::{SecretAdded, SecretEvent, SecretRemoved, SecretReplaced};
pub use secret::{NewSecret, Secret, SecretDetails};
pub use values::{SecretHosts, SecretName, SecretValue};
