use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_domain::kernel::ids::{ApiKeyId, KeySecretId, ProjectId};

use super::views::KeyRecord;
use crate::{
    context::KeyGrant,
    error::PortError,
    paging::{PageOf, Part},
};

/// Reads API keys, derived from the log.
#[async_trait]
pub trait KeyViews: Send + Sync {
    /// Finds a key; the handler checks who may see it.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn find(&self, key: ApiKeyId) -> Result<Option<KeyRecord>, PortError>;

    /// Lists a project's keys, newest first, including revoked and expired ones.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn list(&self, project: ProjectId, part: &Part) -> Result<PageOf<KeyRecord>, PortError>;
}

/// The stored part of a key's secret; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySecret {
    /// The id by which the log refers to it.
    pub id: KeySecretId,
    /// Its key.
    pub key: ApiKeyId,
    /// SHA-256 of the secret.
    pub digest: [u8; 32],
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

impl std::fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySecret").field("id", &self.id).field("key", &self.key).finish_non_exhaustive()
    }
}

/// Stores digests of secrets, outside the log. A row is valid only once an event refers to its id.
#[async_trait]
pub trait KeyVault: Send + Sync {
    /// Stores a secret before it is recorded.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn save(&self, secret: &KeySecret) -> Result<(), PortError>;

    /// Deletes a secret.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be deleted.
    async fn remove(&self, secret: KeySecretId) -> Result<(), PortError>;

    /// Deletes secrets from before an instant that no key refers to. Returns how many.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be deleted.
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError>;
}

/// Validates presented keys. Answers may be cached for at most five seconds.
#[async_trait]
pub trait KeyStandings: Send + Sync {
    /// The key's permissions, if it is valid, the digest matches one of its secrets (compared in constant time), and
    /// its issuer may sign in.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn of(&self, key: ApiKeyId, digest: &[u8; 32], now: DateTime<Utc>) -> Result<Option<KeyGrant>, PortError>;

    /// Drops the cached answer of a key that has just changed.
    fn forget(&self, key: ApiKeyId);
}

/// Records when keys were last used, asynchronously and delayed by at most seconds.
#[async_trait]
pub trait KeyUses: Send + Sync {
    /// Records a use.
    fn note(&self, key: ApiKeyId, at: DateTime<Utc>);

    /// The last uses of keys; unused ones are left out.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn last(&self, keys: &[ApiKeyId]) -> Result<Vec<(ApiKeyId, DateTime<Utc>)>, PortError>;
}
