use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_domain::{
    identity::Email,
    kernel::ids::{InvitationId, ProjectId},
    projects::ProjectRole,
};

use crate::error::PortError;

/// Limit of listed invitations per e-mail.
pub const LISTED: usize = 100;

/// The status of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationStatus {
    /// Waiting for an answer.
    Open,
    /// It was accepted.
    Accepted,
    /// It was declined.
    Declined,
    /// It was withdrawn.
    Withdrawn,
}

impl InvitationStatus {
    /// The name used on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads the name used on the wire and in the database.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Open, Self::Accepted, Self::Declined, Self::Withdrawn].into_iter().find(|it| it.as_str() == name)
    }
}

/// An invitation, derived from the log, without personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationRecord {
    /// Its id.
    pub id: InvitationId,
    /// The project.
    pub project: ProjectId,
    /// The offered role.
    pub role: ProjectRole,
    /// Its status.
    pub status: InvitationStatus,
    /// The inviter.
    pub invited_by: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Its expiry.
    pub expires_at: DateTime<Utc>,
}

/// An invitation as shown to the project's owners and its recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationView {
    /// The record from the log.
    pub record: InvitationRecord,
    /// The project's name; `None` while the recipient has not proved to be the right one.
    pub project_name: Option<String>,
    /// The recipient's e-mail, while it is stored.
    pub email: Option<String>,
}

impl std::fmt::Debug for InvitationView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InvitationView").field("record", &self.record).finish_non_exhaustive()
    }
}

/// An invitation with its token.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedInvitation {
    /// The invitation.
    pub view: InvitationView,
    /// Shown only once; `None` for a repeated request.
    pub token: Option<String>,
}

impl std::fmt::Debug for IssuedInvitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedInvitation").field("view", &self.view).finish_non_exhaustive()
    }
}

/// Reads invitations.
#[async_trait]
pub trait InvitationViews: Send + Sync {
    /// Invitations by id, oldest first; unknown ids are left out.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn find(&self, ids: &[InvitationId]) -> Result<Vec<InvitationRecord>, PortError>;

    /// A project's open invitations, oldest first.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn open(&self, project: ProjectId, now: DateTime<Utc>) -> Result<Vec<InvitationRecord>, PortError>;
}

/// Whether an invitation is addressed to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressed {
    /// To another person.
    No,
    /// To this e-mail.
    ByEmail,
    /// To this e-mail, and the token matches.
    ByToken,
}

/// Stores the recipients of invitations, outside the log. A row is valid only once an event refers to its invitation.
#[async_trait]
pub trait Addressees: Send + Sync {
    /// Stores the recipient of a new invitation, and generates its token.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn save(&self, invitation: InvitationId, email: &Email, now: DateTime<Utc>) -> Result<String, PortError>;

    /// Whether an invitation is addressed to this e-mail and token.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn addressed(
        &self,
        invitation: InvitationId,
        email: &Email,
        token: Option<&str>,
    ) -> Result<Addressed, PortError>;

    /// The newest invitations to an e-mail, at most [`LISTED`].
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn invitations(&self, email: &Email) -> Result<Vec<InvitationId>, PortError>;

    /// The e-mails of invitations; those no longer stored are left out.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn emails(&self, invitations: &[InvitationId]) -> Result<Vec<(InvitationId, String)>, PortError>;

    /// Deletes the recipient of an invitation.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be deleted.
    async fn remove(&self, invitation: InvitationId) -> Result<(), PortError>;
}
