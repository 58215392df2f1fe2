use std::sync::Arc;

use devskyy_domain::kernel::ids::SessionId;

use super::ports::{Sessions, Standings};
use crate::{
    context::{Actor, Subject},
    error::Error,
    ports::Clock,
};

/// Ends the sign-in the request came with.
pub struct LogOutHandler {
    pub(super) sessions: Arc<dyn Sessions>,
    pub(super) standings: Arc<dyn Standings>,
    pub(super) clock: Arc<dyn Clock>,
}

impl LogOutHandler {
    /// Ends it, and says which it was: neither its access tokens nor its refresh token count any more.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] without a sign-in, or a failing port.
    #[tracing::instrument(name = "identity.log_out", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor) -> Result<SessionId, Error> {
        actor.person()?;
        let Subject::User { session, .. } = actor.subject else { return Err(Error::Unauthenticated) };
        self.sessions.revoke(session, self.clock.now()).await?;
        self.standings.forget(session);
        Ok(session)
    }
}
