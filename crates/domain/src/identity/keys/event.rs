use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::values::{KeyName, KeyScope};
use crate::{
    kernel::ids::{KeySecretId, ProjectId, UserId},
    projects::ProjectRole,
};

/// A key to a project was issued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyIssued {
    /// The project.
    pub project: ProjectId,
    /// The person whose permissions it shares.
    pub issuer: UserId,
    /// Its name.
    pub name: KeyName,
    /// The role that limits it.
    pub role: ProjectRole,
    /// The scopes that limit it.
    pub scopes: BTreeSet<KeyScope>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
    /// The id of its secret.
    pub secret: KeySecretId,
}

/// The key has a new secret; the previous one stays valid for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyRotated {
    /// The id of the new secret.
    pub secret: KeySecretId,
    /// When the previous secret expires.
    pub previous_until: DateTime<Utc>,
    /// When the key expires from now on.
    pub expires_at: DateTime<Utc>,
}

/// The key was revoked.
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
        /// It was issued.
        Issued(ApiKeyIssued),
        /// It has a new secret.
        Rotated(ApiKeyRotated),
        /// It was revoked.
        Revoked(ApiKeyRevoked),
    }
}
