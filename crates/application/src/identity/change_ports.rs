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

/// Another password in the place of the present one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordChange {
    /// Whose.
    pub user: UserId,
    /// The password that was seen.
    pub from: PasswordHash,
    /// The password from now on.
    pub to: PasswordHash,
    /// The sign-in that goes on.
    pub keep: SessionId,
    /// When.
    pub at: DateTime<Utc>,
}

/// Which unrecorded changes of passwords are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unrecorded {
    /// Those of one person, however new.
    Of(UserId),
    /// Those of everybody that were made before an instant.
    Before(DateTime<Utc>),
}

/// A change of a password whose event is missing in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnrecordedChange {
    /// Whose password was changed.
    pub user: UserId,
    /// When.
    pub at: DateTime<Utc>,
}

/// Changes what is personal about people who have an account.
#[async_trait]
pub trait AccountChanges: Send + Sync {
    /// What a person's password is checked against.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, PortError>;

    /// Puts another password's hash in the place of the present one and ends every other sign-in of the person, all in one
    /// step with seeing that it is the present one. Says which sign-ins ended; nothing where the present password is another,
    /// so of several who start from one, one gets through. A sign-in that is opened meanwhile ends too, or is opened after.
    /// The change is unrecorded until [`AccountChanges::recorded`].
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written; then neither the password has changed nor a sign-in ended.
    async fn set_password(&self, change: &PasswordChange) -> Result<Option<Vec<SessionId>>, PortError>;

    /// The unrecorded changes of passwords: those of one person, or those that everybody made before an instant.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn unrecorded(&self, which: Unrecorded) -> Result<Vec<UnrecordedChange>, PortError>;

    /// Notes that the change a person made at an instant is recorded. A later change stays unrecorded.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn recorded(&self, user: UserId, at: DateTime<Utc>) -> Result<(), PortError>;

    /// Gives a person another name; where `from` is given, only in one step with seeing that it is their present one. Says
    /// whether somebody was renamed.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn rename(&self, user: UserId, from: Option<&str>, to: &DisplayName) -> Result<bool, PortError>;
}

/// Remembers who was erased where no backup of the database reaches, so that a restore does not bring them back.
///
/// Only ever grows; it holds ids and times and nothing personal.
#[async_trait]
pub trait Erasures: Send + Sync {
    /// Remembers that somebody was erased; twice is fine.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn record(&self, user: UserId, at: DateTime<Utc>) -> Result<(), PortError>;

    /// Everybody who was ever erased, each once.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read.
    async fn all(&self) -> Result<Vec<UserId>, PortError>;
}

/// Where e-mails are kept besides accounts, for example for whom an invitation is.
#[async_trait]
pub trait Mentions: Send + Sync {
    /// Forgets an e-mail.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be deleted.
    async fn forget(&self, email: &Email) -> Result<(), PortError>;
}

/// Knows a person's sign-ins.
#[async_trait]
pub trait SessionList: Send + Sync {
    /// The sign-ins of a person that count at that instant, the newest first.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn of_user(&self, user: UserId, now: DateTime<Utc>) -> Result<Vec<SessionRecord>, PortError>;
}
