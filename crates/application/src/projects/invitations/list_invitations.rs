use std::{collections::HashMap, sync::Arc};

use devskyy_domain::{
    identity::Email,
    kernel::ids::{InvitationId, ProjectId, UserId},
};

use super::ports::{Addressees, InvitationRecord, InvitationStatus, InvitationView, InvitationViews};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    ports::Clock,
    projects::ports::{Directory, Person, ProjectViews},
};

/// Reads invitations with the data stored beside the log.
#[derive(Clone)]
pub(in crate::projects) struct Shown {
    pub(in crate::projects) views: Arc<dyn InvitationViews>,
    pub(in crate::projects) projects: Arc<dyn ProjectViews>,
    pub(in crate::projects) addressees: Arc<dyn Addressees>,
}

impl Shown {
    pub(super) async fn one(&self, id: InvitationId) -> Result<InvitationView, Error> {
        let found = self.all(self.views.find(&[id]).await?).await?.pop();
        found.ok_or_else(|| absent(id))
    }

    pub(super) async fn all(&self, records: Vec<InvitationRecord>) -> Result<Vec<InvitationView>, Error> {
        let ids: Vec<_> = records.iter().map(|record| record.id).collect();
        let mut emails: HashMap<_, _> = self.addressees.emails(&ids).await?.into_iter().collect();
        let mut views = Vec::with_capacity(records.len());
        for record in records {
            let project = self.projects.find(record.project).await?;
            let project_name = project.map(|project| project.name);
            views.push(InvitationView { email: emails.remove(&record.id), project_name, record });
        }
        Ok(views)
    }
}

pub(super) fn absent(id: InvitationId) -> Error {
    Error::NotFound(format!("invitation {id}"))
}

/// Lists open invitations.
pub struct ListInvitationsHandler {
    pub(in crate::projects) shown: Shown,
    pub(in crate::projects) directory: Arc<dyn Directory>,
    pub(in crate::projects) access: Access,
    pub(in crate::projects) clock: Arc<dyn Clock>,
}

impl ListInvitationsHandler {
    /// A project's open invitations, for actors who manage members.
    ///
    /// # Errors
    /// An access error, or a failing port.
    #[tracing::instrument(name = "projects.list_invitations", skip_all, fields(%project), err(Debug, level = "debug"))]
    pub async fn of_project(&self, actor: &Actor, project: ProjectId) -> Result<Vec<InvitationView>, Error> {
        self.access.require(actor, project, Permission::MembersWrite).await?;
        self.shown.all(self.shown.views.open(project, self.clock.now()).await?).await
    }

    /// The actor's open invitations. Those older than the account do not name their project, because nothing proves yet
    /// that they are meant for the holder of the e-mail.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::Forbidden`] for programs, or a failing port.
    #[tracing::instrument(name = "projects.list_own_invitations", skip_all, err(Debug, level = "debug"))]
    pub async fn own(&self, actor: &Actor) -> Result<Vec<InvitationView>, Error> {
        let (person, email) = invited(self.directory.as_ref(), actor.person()?).await?;
        let mut records = self.shown.views.find(&self.shown.addressees.invitations(&email).await?).await?;
        let now = self.clock.now();
        records.retain(|it| it.status == InvitationStatus::Open && now < it.expires_at);
        let mut own = self.shown.all(records).await?;
        for view in own.iter_mut().filter(|view| view.record.created_at < person.since) {
            view.project_name = None;
        }
        Ok(own)
    }
}

/// A person and their e-mail, in the form invitations use.
pub(super) async fn invited(directory: &dyn Directory, user: UserId) -> Result<(Person, Email), Error> {
    let person = directory.people(&[user]).await?.pop().ok_or(Error::Unauthenticated)?;
    let email = Email::parse(&person.email)?;
    Ok((person, email))
}
