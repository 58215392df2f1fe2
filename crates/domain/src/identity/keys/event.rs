use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::values::{KeyName, KeyScope};
use crate::{
    kernel::ids::{KeySecretId, ProjectId, UserId},
    projects::ProjectRole,
};

/// A program may enter a project from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyIssued {
    /// Which project.
    pub project: ProjectId,
    /// The person whose power it borrows.
    pub issuer: UserId,
    /// What people call it.
    pub name: KeyName,
    /// What it may be at most.
    pub role: ProjectRole,
    /// What it may do at most.
    pub scopes: BTreeSet<KeyScope>,
    /// Until when it counts.
    pub expires_at: DateTime<Utc>,
    /// Names its secret.
    pub secret: KeySecretId,
}

/// The key has another secret; the one before counts for a while longer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyRotated {
    /// Names its new secret.
    pub secret: KeySecretId,
    /// Until when the secret before counts.
    pub previous_until: DateTime<Utc>,
    /// Until when the key counts from now on.
    pub expires_at: DateTime<Utc>,
}

/// The key no longer counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyRevoked {}

crate::first_version! {
    ApiKeyIssued = "api_key.issued",
    ApiKeyRotated = "api_key.rotated",
    ApiKeyRevoked = "api_key.revoked",
}

crate::event_set! {
    /// What can happen to an API key.
    pub enum ApiKeyEvent {
        /// A program may enter a project from now on.
        Issued(ApiKeyIssued),
        /// It has another secret.
        Rotated(ApiKeyRotated),
        /// It no longer counts.
        Revoked(ApiKeyRevoked),
    }
}
