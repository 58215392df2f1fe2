use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_domain::{
    kernel::ids::{ProjectId, SecretId, SecretValueId},
    secrets::{SecretHosts, SecretValue},
};

use super::views::SecretView;
use crate::{
    error::PortError,
    paging::{PageOf, Part},
};

/// Reads a project's secrets, derived from the log.
#[async_trait]
pub trait SecretViews: Send + Sync {
    /// Finds a secret that is not removed; the handler checks who may see it.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn find(&self, secret: SecretId) -> Result<Option<SecretView>, PortError>;

    /// Finds a project's secret by name, unless it is removed.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn named(&self, project: ProjectId, name: &str) -> Result<Option<SecretView>, PortError>;

    /// Lists a project's secrets that are not removed, newest first.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn list(&self, project: ProjectId, part: &Part) -> Result<PageOf<SecretView>, PortError>;
}

/// What a value is bound to: it can be decrypted for exactly this combination only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretBinding {
    /// The id by which the log refers to the value.
    pub id: SecretValueId,
    /// The secret it belongs to.
    pub secret: SecretId,
    /// The hosts it may be sent to.
    pub hosts: SecretHosts,
}

/// Stores the values of secrets, sealed and outside the log. A value is valid only once an event refers to its id.
#[async_trait]
pub trait SecretVault: Send + Sync {
    /// Stores a value before it is recorded.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be sealed or written.
    async fn save(&self, binding: &SecretBinding, value: &SecretValue, now: DateTime<Utc>) -> Result<(), PortError>;

    /// Decrypts a value, if the binding matches; otherwise returns `None`.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read.
    async fn open(&self, binding: &SecretBinding) -> Result<Option<SecretValue>, PortError>;

    /// Deletes a value.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be deleted.
    async fn remove(&self, value: SecretValueId) -> Result<(), PortError>;

    /// Deletes values from before an instant that no secret refers to. Returns how many.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be deleted.
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError>;
}
