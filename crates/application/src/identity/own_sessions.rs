use std::sync::Arc;

use devskyy_domain::kernel::ids::SessionId;

use super::{
    change_ports::SessionList,
    ports::{Sessions, Standings},
    views::SessionView,
};
use crate::{
    audit::SecurityLog,
    context::{Actor, Subject},
    error::Error,
    ports::Clock,
};

/// Lists the actor's sessions.
pub struct ListSessionsHandler {
    pub(super) list: Arc<dyn SessionList>,
    pub(super) clock: Arc<dyn Clock>,
}

impl ListSessionsHandler {
    /// The valid sessions, newest first, and whether each is that of the request.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::Forbidden`] for programs, or a failing port.
    #[tracing::instrument(name = "identity.list_sessions", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor) -> Result<Vec<SessionView>, Error> {
        let user = actor.person()?;
        let records = self.list.of_user(user, self.clock.now()).await?;
        let current = |id| matches!(actor.subject, Subject::User { session, .. } if session == id);
        Ok(records.into_iter().map(|record| SessionView { current: current(record.id), record }).collect())
    }
}

/// A request to end one of one's own sessions.
#[derive(Debug)]
pub struct EndSession {
    /// The session.
    pub session: SessionId,
}

/// Ends sessions of the actor.
pub struct EndSessionHandler {
    pub(super) list: Arc<dyn SessionList>,
    pub(super) sessions: Arc<dyn Sessions>,
    pub(super) standings: Arc<dyn Standings>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) security: SecurityLog,
}

impl EndSessionHandler {
    /// Ends the session and records that. A session of another user is not found.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unauthenticated`], [`Error::Forbidden`] for programs, or a failing port.
    #[tracing::instrument(name = "identity.end_session", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: EndSession) -> Result<(), Error> {
        let (user, now, session) = (actor.person()?, self.clock.now(), command.session);
        if !self.list.of_user(user, now).await?.iter().any(|record| record.id == session) {
            return Err(Error::NotFound(format!("session {session}")));
        }
        self.sessions.revoke(session, now).await?;
        self.standings.forget(session);
        self.security.signed_out(actor, session);
        Ok(())
    }
}
