use serde::{Deserialize, Serialize};

use super::values::{SecretHosts, SecretName};
use crate::kernel::ids::{ProjectId, SecretValueId};

/// A secret was added to a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecretAdded {
    /// The project.
    pub project: ProjectId,
    /// Its name.
    pub name: SecretName,
    /// The hosts it may be sent to.
    pub hosts: SecretHosts,
    /// The id of its value.
    pub value: SecretValueId,
}

/// The secret has a new value; the previous one is no longer used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecretReplaced {
    /// The hosts it may be sent to from now on.
    pub hosts: SecretHosts,
    /// The id of its value.
    pub value: SecretValueId,
}

/// The secret was removed together with its value.
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
        /// It was added to a project.
        Added(SecretAdded),
        /// It has a new value.
        Replaced(SecretReplaced),
        /// It was removed.
        Removed(SecretRemoved),
    }
}
