use std::sync::Arc;

use super::ports::{AccessTokens, Standings};
use crate::{context::Subject, error::Error, ports::Clock};

/// Authenticates bearer tokens.
pub struct AuthenticateHandler {
    pub(super) tokens: Arc<dyn AccessTokens>,
    pub(super) standings: Arc<dyn Standings>,
    pub(super) clock: Arc<dyn Clock>,
}

impl AuthenticateHandler {
    /// Returns the subject: the token identifies the user, the standing gives the validity of the session and the role.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] without a reason, or a failing port.
    pub async fn handle(&self, bearer: &str) -> Result<Subject, Error> {
        let now = self.clock.now();
        let claims = self.tokens.verify(bearer, now).await?.ok_or(Error::Unauthenticated)?;
        let role = self.standings.of(claims.user, claims.session, now).await?.ok_or(Error::Unauthenticated)?;
        Ok(Subject::User { id: claims.user, role, session: claims.session })
    }
}
