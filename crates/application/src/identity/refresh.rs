use std::sync::Arc;

use super::{
    ports::{Rotation, Standings, UserViews},
    sessions::{SignIns, Tokens},
    views::UserStatus,
};
use crate::{audit::SecurityLog, context::Actor, error::Error};

/// A request for new tokens.
pub struct Refresh {
    /// The refresh token, as it was issued.
    pub refresh_token: String,
}

impl std::fmt::Debug for Refresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Refresh(…)")
    }
}

/// Exchanges a refresh token for new tokens; repeatable only while the answer may have been lost.
pub struct RefreshHandler {
    pub(super) users: Arc<dyn UserViews>,
    pub(super) standings: Arc<dyn Standings>,
    pub(super) sign_ins: SignIns,
    pub(super) security: SecurityLog,
}

impl RefreshHandler {
    /// Continues a session and records the outcome. A token that is presented after its successor was used or replaced
    /// was copied, so the session ends for all holders of its tokens.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] or a failing port.
    #[tracing::instrument(name = "identity.refresh", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: Refresh) -> Result<Tokens, Error> {
        let SignIns { sessions, mint, clock, policy, .. } = &self.sign_ins;
        let now = clock.now();
        let presented = mint.digest(&command.refresh_token);
        let (refresh_token, next) = self.sign_ins.refresh_token()?;
        let (session, user) = match sessions.rotate(&presented, &next, now, now + policy.refresh).await? {
            Rotation::Rotated { session, user } => (session, user),
            Rotation::Reused { session } => {
                self.standings.forget(session);
                tracing::warn!(%session, "a spent refresh token was presented; the sign-in has been ended");
                self.security.reused(actor, session);
                return Err(Error::Unauthenticated);
            }
            Rotation::Refused => return Err(self.refused(actor)),
        };
        match self.users.find(user).await?.map(|record| record.status) {
            Some(UserStatus::Active) => {
                let tokens = self.sign_ins.tokens(user, session, refresh_token).await?;
                self.security.renewed(actor, user);
                Ok(tokens)
            }
            Some(UserStatus::Disabled | UserStatus::Erased) | None => {
                sessions.revoke(session, now).await?;
                Err(self.refused(actor))
            }
        }
    }

    fn refused(&self, actor: &Actor) -> Error {
        self.security.not_accepted(actor, "refresh_token");
        Error::Unauthenticated
    }
}
