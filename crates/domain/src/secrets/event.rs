use serde::{Deserialize, Serialize};

use super::values::{SecretHosts, SecretName};
use crate::kernel::ids::{ProjectId, SecretValueId};

/// A project has another secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecretAdded {
    /// Which project.
    pub project: ProjectId,
    /// Under which name.
    pub name: SecretName,
    /// Where it may be sent.
    pub hosts: SecretHosts,
    /// Names its value.
    pub value: SecretValueId,
}

/// The secret has another value; what it was before counts no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecretReplaced {
    /// Where it may be sent from now on.
    pub hosts: SecretHosts,
    /// Names its value.
    pub value: SecretValueId,
}

/// The secret is gone, and its value with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecretRemoved {}

crate::first_version! {
    SecretAdded = "secret.added",
    SecretReplaced = "secret.replaced",
    SecretRemoved = "secret.removed",
}

crate::event_set! {
    /// What can happen to a secret.
    pub enum SecretEvent {
        /// A project has another secret.
        Added(SecretAdded),
        /// It has another value.
        Replaced(SecretReplaced),
        /// It is gone.
        Removed(SecretRemoved),
    }
}
