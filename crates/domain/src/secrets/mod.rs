//! What a project's tools prove themselves with: secrets by name, bound to the hosts they may be sent to. The values live
//! outside the log; events name them by id only.

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
