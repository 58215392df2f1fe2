use std::sync::Arc;

use chrono::TimeDelta;
use devskyy_domain::kernel::ids::{SessionId, UserId};

use super::ports::{AccessClaims, AccessTokens, NewSession, RefreshDigest, Sessions, Standings, TokenMint};
use crate::{
    error::{Error, PortError},
    ports::{Clock, IdGenerator},
};

/// Lifetimes of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPolicy {
    /// Lifetime of an access token.
    pub access: TimeDelta,
    /// Lifetime of a refresh token.
    pub refresh: TimeDelta,
    /// Lifetime of a session, regardless of refreshes.
    pub absolute: TimeDelta,
    /// Limit of concurrent sessions per user.
    pub at_once: u32,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self {
            access: TimeDelta::minutes(15),
            refresh: TimeDelta::days(7),
            absolute: TimeDelta::days(30),
            at_once: 100,
        }
    }
}

/// The tokens of a signed-in client; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The user.
    pub user: UserId,
    /// Authenticates requests, for a short time.
    pub access_token: String,
    /// Seconds until it expires.
    pub expires_in: u64,
    /// Can be exchanged once.
    pub refresh_token: String,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(…)")
    }
}

/// Starts and continues sessions.
#[derive(Clone)]
pub(super) struct SignIns {
    pub(super) sessions: Arc<dyn Sessions>,
    pub(super) standings: Arc<dyn Standings>,
    pub(super) tokens: Arc<dyn AccessTokens>,
    pub(super) mint: Arc<dyn TokenMint>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdGenerator>,
    pub(super) policy: SessionPolicy,
}

impl SignIns {
    /// Starts a session whose refresh token is not disclosed yet, and ends the least recently used ones beyond the
    /// limit.
    pub(super) async fn open(&self, user: UserId) -> Result<(SessionId, String), Error> {
        let now = self.clock.now();
        let (refresh_token, refresh) = self.refresh_token()?;
        let session = NewSession {
            id: SessionId::from(self.ids.next()),
            user,
            opened_at: now,
            ends_at: now + self.policy.absolute,
            refresh,
            refresh_until: now + self.policy.refresh.min(self.policy.absolute),
            at_once: self.policy.at_once,
        };
        let ended = self.sessions.open(&session).await?;
        ended.into_iter().for_each(|session| self.standings.forget(session));
        Ok((session.id, refresh_token))
    }

    pub(super) async fn end(&self, session: SessionId) -> Result<(), PortError> {
        self.sessions.revoke(session, self.clock.now()).await
    }

    pub(super) fn refresh_token(&self) -> Result<(String, RefreshDigest), PortError> {
        let token = self.mint.token()?;
        let digest = self.mint.digest(&token);
        Ok((token, digest))
    }

    pub(super) async fn tokens(
        &self,
        user: UserId,
        session: SessionId,
        refresh_token: String,
    ) -> Result<Tokens, Error> {
        let issued_at = self.clock.now();
        let expires_at = issued_at + self.policy.access;
        let claims = AccessClaims { id: self.ids.next(), user, session, issued_at, expires_at };
        let access_token = self.tokens.issue(&claims).await?;
        let expires_in = u64::try_from(self.policy.access.num_seconds()).unwrap_or_default();
        Ok(Tokens { user, access_token, expires_in, refresh_token })
    }
}
