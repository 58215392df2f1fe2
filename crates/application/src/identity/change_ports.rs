use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_domain::{
    identity::{DisplayName, Email},
    kernel::ids::{SessionId, UserId},
};

use super::{
    ports::{Credentials, PasswordHash},
    views::SessionRecord,
};
use crate::error::PortError;

/// A change of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordChange {
    /// The user.
    pub user: UserId,
    /// The password hash it replaces.
    pub from: PasswordHash,
    /// The new password hash.
    pub to: PasswordHash,
    /// The session that stays valid.
    pub keep: SessionId,
    /// When it is changed.
    pub at: DateTime<Utc>,
}

/// A selection of unrecorded password changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unrecorded {
    /// Those of one user, of any age.
    Of(UserId),
    /// Those of all users from before an instant.
    Before(DateTime<Utc>),
}

/// A password change whose event is missing in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnrecordedChange {
    /// The user.
    pub user: UserId,
    /// When it was made.
    pub at: DateTime<Utc>,
}

/// Changes users' private rows.
#[async_trait]
pub trait AccountChanges: Send + Sync {
    /// A user's credentials.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, PortError>;

    /// Atomically replaces the password hash, if it is still `from`, and ends all other sessions of the user. Returns
    /// the ended sessions, or `None` if the hash is another one, so only one of several concurrent changes succeeds. A
    /// session that is opened meanwhile also ends, or is opened afterwards. The change is unrecorded until
    /// [`AccountChanges::recorded`].
    ///
    /// # Errors
    /// [`PortError`] when the write fails; then neither the password has changed nor a session ended.
    async fn set_password(&self, change: &PasswordChange) -> Result<Option<Vec<SessionId>>, PortError>;

    /// The selected unrecorded password changes.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn unrecorded(&self, which: Unrecorded) -> Result<Vec<UnrecordedChange>, PortError>;

    /// Marks the change that a user made at an instant as recorded. A later change stays unrecorded.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn recorded(&self, user: UserId, at: DateTime<Utc>) -> Result<(), PortError>;

    /// Changes a user's display name; with `from`, only if that is atomically found to be the present one. Returns
    /// whether it was changed.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn rename(&self, user: UserId, from: Option<&str>, to: &DisplayName) -> Result<bool, PortError>;
}

/// A list of erased users, stored outside the database and its backups, so that a restore does not bring them back.
///
/// It only grows, and holds ids and times but no personal data.
#[async_trait]
pub trait Erasures: Send + Sync {
    /// Records an erasure; repeating it is harmless.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn record(&self, user: UserId, at: DateTime<Utc>) -> Result<(), PortError>;

    /// All users that were ever erased, without duplicates.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read.
    async fn all(&self) -> Result<Vec<UserId>, PortError>;
}

/// E-mails that are stored outside accounts, for example as recipients of invitations.
#[async_trait]
pub trait Mentions: Send + Sync {
    /// Deletes an e-mail.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be deleted.
    async fn forget(&self, email: &Email) -> Result<(), PortError>;
}

/// Lists a user's sessions.
#[async_trait]
pub trait SessionList: Send + Sync {
    /// A user's sessions that are valid at that instant, newest first.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn of_user(&self, user: UserId, now: DateTime<Utc>) -> Result<Vec<SessionRecord>, PortError>;
}
