use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use devskyy_domain::identity::IdentityError;

use super::{enrolment::hex, ports::TokenMint};
use crate::{
    access::{Access, PlatformPermission},
    context::Actor,
    error::{Error, PortError},
    es::{AppendRequest, Claim, EventStore, Idempotency},
    ports::Clock,
};

/// How long an invitation can be accepted.
const LIFE: TimeDelta = TimeDelta::days(7);

/// Where invitations are used up: once on the whole platform.
pub const INVITATION_SCOPE: &str = "user.invitation";

/// Who may open an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RegistrationMode {
    /// Everybody.
    #[default]
    Open,
    /// Whoever an administrator invited.
    Invite,
    /// Nobody; accounts are opened on the command line.
    Closed,
}

/// Keeps invitations, by digest. That one is used up is a claim in the log.
#[async_trait]
pub trait Invitations: Send + Sync {
    /// Keeps an invitation, unless it is kept already, and says until when it can be accepted.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn save(&self, digest: &[u8; 32], expires_at: DateTime<Utc>) -> Result<DateTime<Utc>, PortError>;

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
    pub(super) store: Arc<dyn EventStore>,
    pub(super) invitations: Arc<dyn Invitations>,
    pub(super) mint: Arc<dyn TokenMint>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) mode: RegistrationMode,
}

impl InviteHandler {
    /// Makes an invitation that one person can accept within a week; a repeated request is given the same one.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::Forbidden`], [`IdentityError::RegistrationClosed`] where no invitation lets
    /// anybody in, [`Error::KeyReused`] or a failing port.
    #[tracing::instrument(name = "identity.invite", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, idempotency: Option<Idempotency>) -> Result<Invitation, Error> {
        Access::require_on_platform(actor, PlatformPermission::UsersInvite)?;
        if self.mode == RegistrationMode::Closed {
            return Err(IdentityError::RegistrationClosed.into());
        }
        let token = match idempotency {
            Some(idempotency) => self.repeatable(actor, idempotency).await?,
            None => self.mint.token()?,
        };
        let expires_at = self.invitations.save(&self.mint.digest(&token), self.clock.now() + LIFE).await?;
        Ok(Invitation { token, expires_at })
    }

    /// The token that belongs to a request, the same for each repetition. It is kept nowhere: whoever has the master
    /// key can make it again.
    async fn repeatable(&self, actor: &Actor, idempotency: Idempotency) -> Result<String, Error> {
        let mut seed =
            [idempotency.scope.as_bytes(), &idempotency.fingerprint[..], idempotency.key.as_bytes()].concat();
        let context = actor.event_context(None);
        let request = AppendRequest { writes: vec![], claims: vec![], idempotency: Some(idempotency), context };
        // Where the log stood tells the uses of a key apart once the first is forgotten.
        seed.extend(self.store.append(request).await?.first.to_be_bytes());
        Ok(hex(&self.mint.keyed(INVITATION_SCOPE, &seed)))
    }

    /// What using an invitation takes, so that of several who use it at once one gets through.
    pub(super) async fn claim(&self, token: &str) -> Result<Claim, Error> {
        let digest = self.mint.digest(token);
        match self.invitations.expiry(&digest).await? {
            Some(expiry) if self.clock.now() < expiry => {
                Ok(Claim { scope: INVITATION_SCOPE.to_owned(), value: hex(&digest) })
            }
            Some(_) | None => Err(IdentityError::InvitationRefused.into()),
        }
    }
}
