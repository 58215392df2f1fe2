use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use devskyy_domain::identity::IdentityError;

use super::{enrolment::hex, ports::Secrets};
use crate::{
    access::Access,
    context::Actor,
    error::{Error, PortError},
    es::Claim,
    ports::Clock,
};

/// How long an invitation can be accepted.
const LIFE: TimeDelta = TimeDelta::days(7);

/// Where invitations are used up: once on the whole platform.
pub(super) const INVITATION_SCOPE: &str = "user.invitation";

/// Who may open an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RegistrationMode {
    /// Everybody.
    #[default]
    Open,
    /// Whoever an administrator invited.
    Invite,
    /// Nobody; administrators' accounts are made on the command line.
    Closed,
}

/// Keeps invitations, by digest. That one is used up is a claim in the log.
#[async_trait]
pub trait Invitations: Send + Sync {
    /// Keeps an invitation.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn save(&self, digest: &[u8; 32], expires_at: DateTime<Utc>) -> Result<(), PortError>;

    /// Until when an invitation can be accepted, where there is such a one.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn expiry(&self, digest: &[u8; 32]) -> Result<Option<DateTime<Utc>>, PortError>;
}

/// An invitation, shown this once.
#[derive(Clone, PartialEq, Eq)]
pub struct Invitation {
    /// What to register with.
    pub token: String,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invitation").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Invites people to open an account, for administrators.
#[derive(Clone)]
pub struct InviteHandler {
    pub(super) invitations: Arc<dyn Invitations>,
    pub(super) secrets: Arc<dyn Secrets>,
    pub(super) clock: Arc<dyn Clock>,
}

impl InviteHandler {
    /// Makes an invitation that one person can accept within a week.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::Forbidden`] or a failing port.
    #[tracing::instrument(name = "identity.invite", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor) -> Result<Invitation, Error> {
        Access::require_admin(actor)?;
        let token = self.secrets.token()?;
        let expires_at = self.clock.now() + LIFE;
        self.invitations.save(&self.secrets.digest(&token), expires_at).await?;
        Ok(Invitation { token, expires_at })
    }

    /// What using an invitation takes, so that of several who use it at once one gets through.
    pub(super) async fn claim(&self, token: &str) -> Result<Claim, Error> {
        let digest = self.secrets.digest(token);
        match self.invitations.expiry(&digest).await? {
            Some(expiry) if self.clock.now() < expiry => {
                Ok(Claim { scope: INVITATION_SCOPE.to_owned(), value: hex(&digest) })
            }
            Some(_) | None => Err(IdentityError::InvitationRefused.into()),
        }
    }
}
