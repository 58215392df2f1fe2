use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_domain::{
    identity::Email,
    kernel::ids::{InvitationId, ProjectId},
    projects::ProjectRole,
};

use crate::error::PortError;

/// The most invitations for one e-mail that are listed.
pub const LISTED: usize = 100;

/// Where an invitation is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationStatus {
    /// Waiting for an answer.
    Open,
    /// They said yes.
    Accepted,
    /// They said no.
    Declined,
    /// It was taken back.
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

/// An invitation as the log tells, nothing personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationRecord {
    /// Which.
    pub id: InvitationId,
    /// To which project.
    pub project: ProjectId,
    /// As what.
    pub role: ProjectRole,
    /// Where it is in its life.
    pub status: InvitationStatus,
    /// Who invited.
    pub invited_by: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
}

/// An invitation as the project's owners and whoever is invited see it.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationView {
    /// What the log tells.
    pub record: InvitationRecord,
    /// The project's name; nothing for whoever still has to prove that they are meant.
    pub project_name: Option<String>,
    /// Who is invited, as long as that is kept.
    pub email: Option<String>,
}

impl std::fmt::Debug for InvitationView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InvitationView").field("record", &self.record).finish_non_exhaustive()
    }
}

/// An invitation with what to pass on.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedInvitation {
    /// The invitation.
    pub view: InvitationView,
    /// Shown this once; nothing when the answer to an earlier identical request is repeated.
    pub token: Option<String>,
}

impl std::fmt::Debug for IssuedInvitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedInvitation").field("view", &self.view).finish_non_exhaustive()
    }
}

/// Answers questions about invitations.
#[async_trait]
pub trait InvitationViews: Send + Sync {
    /// Invitations by id, the oldest first; those there are not are left out.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn find(&self, ids: &[InvitationId]) -> Result<Vec<InvitationRecord>, PortError>;

    /// The invitations of a project that wait for an answer, the oldest first.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn open(&self, project: ProjectId, now: DateTime<Utc>) -> Result<Vec<InvitationRecord>, PortError>;
}

/// Whether an invitation is for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressed {
    /// It is for somebody else.
    No,
    /// It is for this e-mail.
    ByEmail,
    /// It is for this e-mail, and the token is the one that was passed on.
    ByToken,
}

/// Knows whom invitations are for, outside the log. A row means nothing until an event refers to its invitation.
#[async_trait]
pub trait Addressees: Send + Sync {
    /// Keeps for whom an invitation will be, and draws the token to pass on.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn save(&self, invitation: InvitationId, email: &Email, now: DateTime<Utc>) -> Result<String, PortError>;

    /// Whether an invitation is for whoever has this e-mail and presents this token.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn addressed(
        &self,
        invitation: InvitationId,
        email: &Email,
        token: Option<&str>,
    ) -> Result<Addressed, PortError>;

    /// The newest invitations that are for an e-mail, at most [`LISTED`].
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn invitations(&self, email: &Email) -> Result<Vec<InvitationId>, PortError>;

    /// The e-mails that invitations are for; those no longer kept are left out.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn emails(&self, invitations: &[InvitationId]) -> Result<Vec<(InvitationId, String)>, PortError>;

    /// Forgets for whom an invitation was.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be deleted.
    async fn remove(&self, invitation: InvitationId) -> Result<(), PortError>;
}
