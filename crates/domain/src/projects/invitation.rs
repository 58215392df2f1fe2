use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::values::ProjectRole;
use crate::kernel::{
    Aggregate, Decision, Refusal, RefusalKind,
    ids::{InvitationId, ProjectId, UserId},
};

/// How long an invitation can be accepted.
const LIFE: TimeDelta = TimeDelta::days(7);

/// Maximum number of open invitations of a project.
const WAITING: usize = 100;

/// An invitation was issued; the invitee's data is stored outside the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvitationIssued {
    /// The project.
    pub project: ProjectId,
    /// The role.
    pub role: ProjectRole,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

/// The invitee accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvitationAccepted {
    /// The invitee.
    pub user: UserId,
}

/// The invitee declined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvitationDeclined {
    /// The invitee.
    pub user: UserId,
}

/// The invitation was withdrawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvitationWithdrawn {}

crate::first_version! {
    InvitationIssued = "invitation.issued",
    InvitationAccepted = "invitation.accepted",
    InvitationDeclined = "invitation.declined",
    InvitationWithdrawn = "invitation.withdrawn",
}

crate::event_set! {
    /// What can happen to an invitation.
    pub enum InvitationEvent {
        /// It was issued.
        Issued(InvitationIssued),
        /// It was accepted.
        Accepted(InvitationAccepted),
        /// It was declined.
        Declined(InvitationDeclined),
        /// It was withdrawn.
        Withdrawn(InvitationWithdrawn),
    }
}

/// Why a request about an invitation is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    /// The id is used already.
    #[error("the invitation is issued already")]
    AlreadyIssued,
    /// No invitation has this id.
    #[error("there is no such invitation")]
    NotIssued,
    /// It has expired.
    #[error("the invitation has expired, ask for another one")]
    Expired,
    /// It was answered or withdrawn before.
    #[error("the invitation has been answered or withdrawn")]
    Ended,
    /// The project has too many open invitations.
    #[error("the project has {WAITING} pending invitations, withdraw some first")]
    TooMany,
}

impl Refusal for InvitationError {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyIssued => "invitation.already_issued",
            Self::NotIssued => "invitation.not_issued",
            Self::Expired => "invitation.expired",
            Self::Ended => "invitation.ended",
            Self::TooMany => "invitation.too_many",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::AlreadyIssued | Self::NotIssued | Self::Expired | Self::Ended | Self::TooMany => {
                RefusalKind::Conflict
            }
        }
    }
}

/// An invitation to join a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Invitation {
    /// Nothing has been recorded yet.
    #[default]
    Unknown,
    /// Open for an answer.
    Open {
        /// The project.
        project: ProjectId,
        /// The role.
        role: ProjectRole,
        /// When it expires.
        expires_at: DateTime<Utc>,
    },
    /// Answered or withdrawn.
    Ended,
}

impl Invitation {
    /// Issues an invitation for a week; `waiting` is the number of open invitations of the project.
    ///
    /// # Errors
    /// [`InvitationError::AlreadyIssued`] when the id is in use, [`InvitationError::TooMany`] when 100 are open.
    pub fn issue(&self, project: ProjectId, role: ProjectRole, waiting: usize, now: DateTime<Utc>) -> Decision<Self> {
        match self {
            Self::Unknown if waiting >= WAITING => Err(InvitationError::TooMany),
            Self::Unknown => Ok(vec![InvitationIssued { project, role, expires_at: now + LIFE }.into()]),
            Self::Open { .. } | Self::Ended => Err(InvitationError::AlreadyIssued),
        }
    }

    /// Accepts the invitation.
    ///
    /// # Errors
    /// When it is not open, or has expired.
    pub fn accept(&self, user: UserId, now: DateTime<Utc>) -> Decision<Self> {
        match self.open()? {
            expires_at if now >= expires_at => Err(InvitationError::Expired),
            _ => Ok(vec![InvitationAccepted { user }.into()]),
        }
    }

    /// Declines the invitation.
    ///
    /// # Errors
    /// When it is not open.
    pub fn decline(&self, user: UserId) -> Decision<Self> {
        self.open()?;
        Ok(vec![InvitationDeclined { user }.into()])
    }

    /// Withdraws the invitation.
    ///
    /// # Errors
    /// When it is not open.
    pub fn withdraw(&self) -> Decision<Self> {
        self.open()?;
        Ok(vec![InvitationWithdrawn {}.into()])
    }

    const fn open(&self) -> Result<DateTime<Utc>, InvitationError> {
        match self {
            Self::Open { expires_at, .. } => Ok(*expires_at),
            Self::Ended => Err(InvitationError::Ended),
            Self::Unknown => Err(InvitationError::NotIssued),
        }
    }
}

impl Aggregate for Invitation {
    const CATEGORY: &'static str = "invitation";
    type Id = InvitationId;
    type Event = InvitationEvent;
    type Error = InvitationError;

    fn apply(&mut self, event: &InvitationEvent) {
        *self = match event {
            InvitationEvent::Issued(it) => Self::Open { project: it.project, role: it.role, expires_at: it.expires_at },
            InvitationEvent::Accepted(_) | InvitationEvent::Declined(_) | InvitationEvent::Withdrawn(_) => Self::Ended,
        };
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::kernel::given::{Given, given};

    fn at(days: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(days)
    }

    fn user() -> UserId {
        Uuid::from_u128(1).into()
    }

    fn issued() -> InvitationIssued {
        InvitationIssued { project: Uuid::from_u128(10).into(), role: ProjectRole::Viewer, expires_at: at(7) }
    }

    fn open() -> Given<Invitation> {
        given([issued().into()])
    }

    #[test]
    fn an_invitation_is_good_for_a_week() {
        let invite = |it: &Invitation| it.issue(issued().project, ProjectRole::Viewer, WAITING - 1, at(0));
        assert_eq!(given::<Invitation>([]).when(invite), Ok(vec![issued().into()]));
    }

    #[test]
    fn a_project_waits_for_so_many_answers_at_once() {
        let invite = |it: &Invitation| it.issue(issued().project, ProjectRole::Viewer, WAITING, at(0));
        assert_eq!(given::<Invitation>([]).when(invite), Err(InvitationError::TooMany));
    }

    #[test]
    fn an_invitation_is_accepted_before_it_expires() {
        let accepted = open().when(|it| it.accept(user(), at(6)));
        assert_eq!(accepted, Ok(vec![InvitationAccepted { user: user() }.into()]));
    }

    #[test]
    fn an_expired_invitation_is_not_accepted() {
        assert_eq!(open().when(|it| it.accept(user(), at(7))), Err(InvitationError::Expired));
    }

    #[test]
    fn an_expired_invitation_can_be_declined() {
        let declined = open().when(|it| it.decline(user()));
        assert_eq!(declined, Ok(vec![InvitationDeclined { user: user() }.into()]));
    }

    #[test]
    fn an_invitation_is_answered_once() {
        let accepted = given::<Invitation>([issued().into(), InvitationAccepted { user: user() }.into()]);
        assert_eq!(accepted.when(|it| it.decline(user())), Err(InvitationError::Ended));
    }

    #[test]
    fn a_withdrawn_invitation_is_not_accepted() {
        let withdrawn = given::<Invitation>([issued().into(), InvitationWithdrawn {}.into()]);
        assert_eq!(withdrawn.when(|it| it.accept(user(), at(1))), Err(InvitationError::Ended));
    }

    #[test]
    fn nothing_is_accepted_that_was_not_issued() {
        assert_eq!(given::<Invitation>([]).when(|it| it.accept(user(), at(1))), Err(InvitationError::NotIssued));
    }
}
