use std::sync::Arc;

use super::{
    ports::{Rotation, Standings, UserViews},
    sessions::{SignIns, Tokens},
    views::UserStatus,
};
use crate::{context::Actor, error::Error};

/// Asks for new tokens.
pub struct Refresh {
    /// The refresh token, as it was handed out.
    pub refresh_token: String,
}

impl std::fmt::Debug for Refresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Refresh(…)")
    }
}

/// Trades a refresh token for new tokens; again only where the answer may have been lost.
pub struct RefreshHandler {
    pub(super) users: Arc<dyn UserViews>,
    pub(super) standings: Arc<dyn Standings>,
    pub(super) sign_ins: SignIns,
}

impl RefreshHandler {
    /// Continues a sign-in. A token that comes after its successor was used, or after it was replaced itself, was copied:
    /// the sign-in ends for everybody who holds one.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::TokenReused`] or a failing port.
    #[tracing::instrument(name = "identity.refresh", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, _actor: &Actor, command: Refresh) -> Result<Tokens, Error> {
        let SignIns { sessions, mint, clock, policy, .. } = &self.sign_ins;
        let now = clock.now();
        let presented = mint.digest(&command.refresh_token);
        let (refresh_token, next) = self.sign_ins.refresh_token()?;
        let (session, user) = match sessions.rotate(&presented, &next, now, now + policy.refresh).await? {
            Rotation::Rotated { session, user } => (session, user),
            Rotation::Reused { session } => {
                self.standings.forget(session);
                tracing::warn!(%session, "a spent refresh token was presented; the sign-in has been ended");
                return Err(Error::TokenReused { session });
            }
            Rotation::Refused => return Err(Error::Unauthenticated),
        };
        match self.users.find(user).await?.map(|record| record.status) {
            Some(UserStatus::Active) => self.sign_ins.tokens(user, session, refresh_token).await,
            Some(UserStatus::Disabled | UserStatus::Erased) | None => {
                sessions.revoke(session, now).await?;
                Err(Error::Unauthenticated)
            }
        }
    }
}
