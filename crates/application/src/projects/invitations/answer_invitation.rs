use std::sync::Arc;

use devskyy_domain::{
    kernel::ids::{InvitationId, UserId},
    projects::{Invitation, Project},
};

use super::{
    list_invitations::{Shown, absent, invited},
    ports::{Addressed, Addressees, InvitationRecord, InvitationView},
};
use crate::{
    context::Actor,
    error::Error,
    es::{AppendError, AppendRequest, EventStore, Precondition, Repository},
    ports::Clock,
    projects::ports::Directory,
};

/// How often a lost race is run again before the caller is asked to.
const ATTEMPTS: usize = 5;

/// Answers an invitation.
pub struct AnswerInvitation {
    /// Which.
    pub invitation: InvitationId,
    /// The token that the inviter passed on; needed by whoever registered after they were invited.
    pub token: Option<String>,
    /// Yes or no.
    pub accept: bool,
}

impl std::fmt::Debug for AnswerInvitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerInvitation").field("invitation", &self.invitation).finish_non_exhaustive()
    }
}

/// Takes invited people's answers.
pub struct AnswerInvitationHandler {
    pub(in crate::projects) store: Arc<dyn EventStore>,
    pub(in crate::projects) addressees: Arc<dyn Addressees>,
    pub(in crate::projects) directory: Arc<dyn Directory>,
    pub(in crate::projects) shown: Shown,
    pub(in crate::projects) clock: Arc<dyn Clock>,
}

impl AnswerInvitationHandler {
    /// Takes the answer, and lets the person belong to the project where it is yes. An invitation for somebody else does
    /// not exist.
    ///
    /// # Errors
    /// [`devskyy_domain::projects::InvitationError`], [`devskyy_domain::projects::ProjectError`], [`Error::NotFound`],
    /// [`Error::Unauthenticated`], [`Error::Forbidden`] for programs, or a failing port.
    #[tracing::instrument(name = "projects.answer_invitation", skip_all, fields(invitation = %command.invitation), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: AnswerInvitation) -> Result<InvitationView, Error> {
        let user = actor.person()?;
        let AnswerInvitation { invitation, token, accept } = command;
        let record = self.addressed(user, invitation, token.as_deref()).await?;
        self.record(actor, user, &record, accept).await?;
        // The row has done its work; the sweep removes it where this cannot.
        if let Err(error) = self.addressees.remove(invitation).await {
            tracing::warn!(%error, "an answered invitation's e-mail stays until the next sweep");
        }
        self.shown.one(invitation).await
    }

    async fn addressed(&self, user: UserId, id: InvitationId, token: Option<&str>) -> Result<InvitationRecord, Error> {
        let record = self.shown.views.find(&[id]).await?.pop().ok_or_else(|| absent(id))?;
        let (person, email) = invited(self.directory.as_ref(), user).await?;
        match self.addressees.addressed(id, &email, token).await? {
            Addressed::ByToken => Ok(record),
            Addressed::ByEmail if person.since <= record.created_at => Ok(record),
            Addressed::ByEmail | Addressed::No => Err(absent(id)),
        }
    }

    /// The answer and its effect on the project are one append.
    async fn record(&self, actor: &Actor, user: UserId, it: &InvitationRecord, accept: bool) -> Result<(), Error> {
        let invitations = Repository::<Invitation>::new(self.store.clone());
        let projects = Repository::<Project>::new(self.store.clone());
        for _ in 0..ATTEMPTS {
            let invitation = invitations.load(it.id).await?;
            let version = Precondition::Version(invitation.version);
            let mut writes = Vec::new();
            if accept {
                let accepted = invitation.state.accept(user, self.clock.now())?;
                let project = projects.load(it.project).await?;
                let joined = project.state.add_member(user, it.role)?;
                writes.push(Repository::<Invitation>::write(it.id, version, &accepted)?);
                // Nothing joins where they have become a member with that role since.
                if !joined.is_empty() {
                    let version = Precondition::Version(project.version);
                    writes.push(Repository::<Project>::write(it.project, version, &joined)?);
                }
            } else {
                writes.push(Repository::<Invitation>::write(it.id, version, &invitation.state.decline(user)?)?);
            }
            let context = actor.event_context(Some(it.project));
            match self.store.append(AppendRequest { writes, claims: vec![], idempotency: None, context }).await {
                Ok(_) => return Ok(()),
                Err(AppendError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Contended)
    }
}
