use std::sync::Arc;

use super::ports::{Sessions, Standings};
use crate::{
    audit::SecurityLog,
    context::{Actor, Subject},
    error::Error,
    ports::Clock,
};

/// Ends the session of the request.
pub struct LogOutHandler {
    pub(super) sessions: Arc<dyn Sessions>,
    pub(super) standings: Arc<dyn Standings>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) security: SecurityLog,
}

impl LogOutHandler {
    /// Ends the session and records that: its access tokens and its refresh token are no longer valid.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] without a session, or a failing port.
    #[tracing::instrument(name = "identity.log_out", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor) -> Result<(), Error> {
        actor.person()?;
        let Subject::User { session, .. } = actor.subject else { return Err(Error::Unauthenticated) };
        self.sessions.revoke(session, self.clock.now()).await?;
        self.standings.forget(session);
        self.security.signed_out(actor, session);
        Ok(())
    }
}
