use std::sync::Arc;

use devskyy_domain::{
    identity::Email,
    kernel::ids::{InvitationId, ProjectId},
    projects::{Invitation, Project, ProjectRole},
};

use super::{
    list_invitations::Shown,
    ports::{Addressees, IssuedInvitation},
};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    es::{Created, Idempotency, Repository},
    ports::{Clock, IdGenerator},
    projects::ports::Directory,
};

/// A request to invite a person.
#[derive(Debug)]
pub struct InviteMember {
    /// The project.
    pub project: ProjectId,
    /// The recipient, with or without an account.
    pub email: Email,
    /// Their role.
    pub role: ProjectRole,
    /// Recognises a repeated request.
    pub idempotency: Option<Idempotency>,
}

/// Invites people into projects.
pub struct InviteMemberHandler {
    pub(in crate::projects) projects: Repository<Project>,
    pub(in crate::projects) invitations: Repository<Invitation>,
    pub(in crate::projects) addressees: Arc<dyn Addressees>,
    pub(in crate::projects) directory: Arc<dyn Directory>,
    pub(in crate::projects) shown: Shown,
    pub(in crate::projects) access: Access,
    pub(in crate::projects) clock: Arc<dyn Clock>,
    pub(in crate::projects) ids: Arc<dyn IdGenerator>,
}

impl InviteMemberHandler {
    /// Invites a person for a week. The response does not reveal whether they have an account, only whether they are a
    /// member, which the actor can see anyway.
    ///
    /// # Errors
    /// [`devskyy_domain::projects::ProjectError`] if the project cannot admit them,
    /// [`devskyy_domain::projects::InvitationError::TooMany`], an access error, or a failing port.
    #[tracing::instrument(name = "projects.invite_member", skip_all, fields(project = %command.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: InviteMember) -> Result<IssuedInvitation, Error> {
        let idempotency = command.idempotency.clone();
        let (created, token) = match self.issue(actor, command).await {
            Ok(issued) => issued,
            Err(refused) => {
                let context = actor.event_context(None);
                (self.invitations.created_before(context, idempotency.as_ref(), refused).await?, None)
            }
        };
        let view = self.shown.one(created.id).await?;
        Ok(IssuedInvitation { view, token })
    }

    async fn issue(
        &self,
        actor: &Actor,
        command: InviteMember,
    ) -> Result<(Created<Invitation>, Option<String>), Error> {
        let InviteMember { project, email, role, idempotency } = command;
        self.access.require(actor, project, Permission::to_give(role)).await?;
        let known = self.directory.find_by_email(&email).await?;
        self.projects.load(project).await?.state.takes_in(known)?;
        let (id, now) = (InvitationId::from(self.ids.next()), self.clock.now());
        let waiting = self.shown.views.open(project, now).await?.len();
        let events = Invitation::default().issue(project, role, waiting, now)?;
        let token = self.addressees.save(id, &email, now).await?;
        let context = actor.event_context(Some(project));
        let created = self.invitations.create(context, id, &events, vec![], vec![], idempotency).await;
        // The append may have been accepted without an answer: the row stays, and the sweep decides later.
        let refused = created.as_ref().is_err_and(Error::surely_refused);
        if refused || created.as_ref().is_ok_and(|created| created.replayed) {
            self.addressees.remove(id).await?;
        }
        let created = created?;
        let token = (!created.replayed).then_some(token);
        Ok((created, token))
    }
}
