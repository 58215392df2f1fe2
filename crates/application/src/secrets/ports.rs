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

/// Answers questions about a project's secrets as the log tells.
#[async_trait]
pub trait SecretViews: Send + Sync {
    /// Finds a secret that is not removed; who may see it is the handler's question.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn find(&self, secret: SecretId) -> Result<Option<SecretView>, PortError>;

    /// Finds the secret of that name in a project that is not removed.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn named(&self, project: ProjectId, name: &str) -> Result<Option<SecretView>, PortError>;

    /// Lists the secrets of a project that are not removed, the newest first.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn list(&self, project: ProjectId, part: &Part) -> Result<PageOf<SecretView>, PortError>;
}

/// For what a value was handed over: it opens for exactly this, and for nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretBinding {
    /// By which the log knows the value.
    pub id: SecretValueId,
    /// Whose value it is.
    pub secret: SecretId,
    /// Where it may be sent.
    pub hosts: SecretHosts,
}

/// Keeps the values of secrets, sealed and outside the log. A value means nothing until an event refers to its id.
#[async_trait]
pub trait SecretVault: Send + Sync {
    /// Keeps a value that is about to be recorded.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be sealed or written.
    async fn save(&self, binding: &SecretBinding, value: &SecretValue, now: DateTime<Utc>) -> Result<(), PortError>;

    /// Opens a value for what it was handed over; `None` for everything else.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read.
    async fn open(&self, binding: &SecretBinding) -> Result<Option<SecretValue>, PortError>;

    /// Lets go of a value.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be deleted.
    async fn remove(&self, value: SecretValueId) -> Result<(), PortError>;

    /// Deletes the values no secret refers to any more that were handed over before an instant, and says how many.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be deleted.
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError>;
}
