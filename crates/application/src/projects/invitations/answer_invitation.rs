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

/// Attempts of an update that loses a race, before the caller has to retry.
const ATTEMPTS: usize = 5;

/// A request to answer an invitation.
pub struct AnswerInvitation {
    /// The invitation.
    pub invitation: InvitationId,
    /// The token passed on by the inviter; required if the account is newer than the invitation.
    pub token: Option<String>,
    /// Whether it is accepted.
    pub accept: bool,
}

impl std::fmt::Debug for AnswerInvitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerInvitation").field("invitation", &self.invitation).finish_non_exhaustive()
    }
}

/// Accepts and declines invitations.
pub struct AnswerInvitationHandler {
    pub(in crate::projects) store: Arc<dyn EventStore>,
    pub(in crate::projects) addressees: Arc<dyn Addressees>,
    pub(in crate::projects) directory: Arc<dyn Directory>,
    pub(in crate::projects) shown: Shown,
    pub(in crate::projects) clock: Arc<dyn Clock>,
}

impl AnswerInvitationHandler {
    /// Records the answer; if it is accepted, the person becomes a member. An invitation of another person is not
    /// found.
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
        // The row is no longer needed. If this fails, the sweep deletes it.
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

    /// Appends the answer together with its effect on the project.
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
                // Nothing to add if they have become a member with that role meanwhile.
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
