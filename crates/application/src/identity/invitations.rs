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

/// How long an invitation is valid.
const LIFE: TimeDelta = TimeDelta::days(7);

/// The scope in which an invitation can be used once: the whole platform.
pub const INVITATION_SCOPE: &str = "user.invitation";

/// Who may register.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RegistrationMode {
    /// Everyone.
    #[default]
    Open,
    /// People with an invitation.
    Invite,
    /// No one; accounts are opened on the command line.
    Closed,
}

/// Stores invitations, by digest. Their use is a claim in the log.
#[async_trait]
pub trait Invitations: Send + Sync {
    /// Stores an invitation, unless it exists. Returns its expiry.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn save(&self, digest: &[u8; 32], expires_at: DateTime<Utc>) -> Result<DateTime<Utc>, PortError>;

    /// The expiry of an invitation, if it exists.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn expiry(&self, digest: &[u8; 32]) -> Result<Option<DateTime<Utc>>, PortError>;
}

/// An invitation; its token is shown only once.
#[derive(Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The token to register with.
    pub token: String,
    /// Its expiry.
    pub expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invitation").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Creates invitations, for administrators.
#[derive(Clone)]
pub struct InviteHandler {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) invitations: Arc<dyn Invitations>,
    pub(super) mint: Arc<dyn TokenMint>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) mode: RegistrationMode,
}

impl InviteHandler {
    /// Creates an invitation that one person can accept within a week. A repeated request returns the same one.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::Forbidden`], [`IdentityError::RegistrationClosed`] if invitations are not
    /// accepted, [`Error::KeyReused`] or a failing port.
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

    /// The token of a request, the same for each repetition. It is not stored, but derived from the master key.
    async fn repeatable(&self, actor: &Actor, idempotency: Idempotency) -> Result<String, Error> {
        let mut seed =
            [idempotency.scope.as_bytes(), &idempotency.fingerprint[..], idempotency.key.as_bytes()].concat();
        let context = actor.event_context(None);
        let request = AppendRequest { writes: vec![], claims: vec![], idempotency: Some(idempotency), context };
        // The log's position distinguishes uses of a key after the first has been forgotten.
        seed.extend(self.store.append(request).await?.first.to_be_bytes());
        Ok(hex(&self.mint.keyed(INVITATION_SCOPE, &seed)))
    }

    /// The claim for using an invitation, so that only one of several concurrent uses succeeds.
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
