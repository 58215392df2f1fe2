use std::sync::Arc;

use devskyy_domain::{
    identity::Email,
    kernel::{
        Version,
        ids::{ProjectId, UserId},
    },
    projects::{Project, ProjectError, ProjectRole},
};
use uuid::Uuid;

use super::{
    ports::{Directory, Person, ProjectViews},
    views::MemberView,
};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    es::{Idempotency, Repository, Updated},
};

/// Identifies a person.
#[derive(Debug, Clone)]
pub enum PersonRef {
    /// By id.
    Id(UserId),
    /// By the e-mail they sign in with.
    Email(Email),
}

/// A request to add a member.
#[derive(Debug)]
pub struct AddMember {
    /// The project.
    pub project: ProjectId,
    /// The person.
    pub person: PersonRef,
    /// Their role.
    pub role: ProjectRole,
    /// The project's version the caller expects, if any.
    pub expected: Option<Version>,
    /// Recognises a repeated request.
    pub idempotency: Option<Idempotency>,
}

/// Adds members.
pub struct AddMemberHandler {
    pub(super) projects: Repository<Project>,
    pub(super) views: Arc<dyn ProjectViews>,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) access: Access,
}

impl AddMemberHandler {
    /// Adds the person, and returns the member with the project's version. A person the actor may not know of is
    /// refused like one without an account, and has to be invited.
    ///
    /// # Errors
    /// [`ProjectError`], [`Error::StaleVersion`], an access error, or a failing port.
    #[tracing::instrument(name = "projects.add_member", skip_all, fields(project = %command.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: AddMember) -> Result<(MemberView, Version), Error> {
        let (project, who, idempotency) = (command.project, command.person.clone(), command.idempotency.clone());
        let (updated, person) = match self.add(actor, command).await {
            Ok(added) => added,
            Err(refused) => {
                let context = actor.event_context(None);
                let before = self.projects.changed_before(context, project, idempotency.as_ref(), refused).await?;
                (before, self.find(who).await?.ok_or(ProjectError::PersonUnknown)?)
            }
        };
        let member = self.views.member(project, person.id).await?.ok_or(ProjectError::NotMember)?;
        Ok((MemberView::new(member, Some(person)), updated.loaded.version))
    }

    async fn add(&self, actor: &Actor, command: AddMember) -> Result<(Updated<Project>, Person), Error> {
        let AddMember { project, person, role, expected, idempotency } = command;
        self.access.require(actor, project, Permission::to_give(role)).await?;
        let found = self.find(person).await?;
        // Also called if there is no such person: neither answer nor time may reveal who has an account.
        let id = found.as_ref().map_or_else(nobody, |person| person.id);
        let known = self.access.knows(actor, id).await?;
        let person = found.filter(|_| known).ok_or(ProjectError::PersonUnknown)?;
        let context = actor.event_context(Some(project));
        let decide = |it: &Project| it.add_member(person.id, role);
        let updated = self.projects.update_once(context, project, expected, idempotency, decide).await?;
        Ok((updated, person))
    }

    async fn find(&self, person: PersonRef) -> Result<Option<Person>, Error> {
        let id = match person {
            PersonRef::Id(id) => id,
            PersonRef::Email(email) => self.directory.find_by_email(&email).await?.unwrap_or_else(nobody),
        };
        Ok(self.directory.people(&[id]).await?.into_iter().next())
    }
}

/// An id that no user has.
fn nobody() -> UserId {
    Uuid::nil().into()
}
