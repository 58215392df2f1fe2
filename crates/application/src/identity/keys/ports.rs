use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_domain::kernel::ids::{ApiKeyId, KeySecretId, ProjectId};

use super::views::KeyRecord;
use crate::{
    context::KeyGrant,
    error::PortError,
    paging::{PageOf, Part},
};

/// Answers questions about API keys as the log tells.
#[async_trait]
pub trait KeyViews: Send + Sync {
    /// Finds one key; who may see it is the handler's question.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn find(&self, key: ApiKeyId) -> Result<Option<KeyRecord>, PortError>;

    /// Lists the keys of a project, the newest first, revoked and expired ones too.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn list(&self, project: ProjectId, part: &Part) -> Result<PageOf<KeyRecord>, PortError>;
}

/// What is kept of a key's secret; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySecret {
    /// By which the log knows it.
    pub id: KeySecretId,
    /// Of which key.
    pub key: ApiKeyId,
    /// SHA-256 of it.
    pub digest: [u8; 32],
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl std::fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySecret").field("id", &self.id).field("key", &self.key).finish_non_exhaustive()
    }
}

/// Keeps digests of secrets, outside the log. A row means nothing until an event refers to its id.
#[async_trait]
pub trait KeyVault: Send + Sync {
    /// Keeps a secret that is about to be recorded.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn save(&self, secret: &KeySecret) -> Result<(), PortError>;

    /// Lets go of a secret.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be deleted.
    async fn remove(&self, secret: KeySecretId) -> Result<(), PortError>;

    /// Deletes the secrets no key refers to any more that were made before an instant, and says how many.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be deleted.
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError>;
}

/// Tells what a presented key stands for; may remember an answer for a few seconds, never for more than five.
#[async_trait]
pub trait KeyStandings: Send + Sync {
    /// What the key stands for where it counts, that is one of its secrets, and its issuer may sign in; compared in
    /// constant time.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn of(&self, key: ApiKeyId, digest: &[u8; 32], now: DateTime<Utc>) -> Result<Option<KeyGrant>, PortError>;

    /// Forgets what is remembered of a key that has just changed.
    fn forget(&self, key: ApiKeyId);
}

/// Remembers when keys were last used; never in a request's way, and late by seconds at most.
#[async_trait]
pub trait KeyUses: Send + Sync {
    /// Notes a use.
    fn note(&self, key: ApiKeyId, at: DateTime<Utc>);

    /// When keys were last used; those that never were are left out.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn last(&self, keys: &[ApiKeyId]) -> Result<Vec<(ApiKeyId, DateTime<Utc>)>, PortError>;
}
