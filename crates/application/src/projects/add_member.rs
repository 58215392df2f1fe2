use std::sync::Arc;

use devskyy_domain::{
    identity::Email,
    kernel::{
        Version,
        ids::{ProjectId, UserId},
    },
    projects::{Project, ProjectError, ProjectRole},
};

use super::{
    ports::{Directory, Person, ProjectViews},
    views::MemberView,
};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    es::Repository,
};

/// Names a person.
#[derive(Debug, Clone)]
pub enum PersonRef {
    /// By id.
    Id(UserId),
    /// By the e-mail they sign in with.
    Email(Email),
}

/// Asks for another member.
#[derive(Debug)]
pub struct AddMember {
    /// Of which project.
    pub project: ProjectId,
    /// Who.
    pub person: PersonRef,
    /// As what.
    pub role: ProjectRole,
    /// The project's version the caller last saw, if it cares.
    pub expected: Option<Version>,
}

/// Adds members.
pub struct AddMemberHandler {
    pub(super) projects: Repository<Project>,
    pub(super) views: Arc<dyn ProjectViews>,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) access: Access,
}

impl AddMemberHandler {
    /// Adds the person, and returns them as a member with the project's version.
    ///
    /// # Errors
    /// [`ProjectError`], [`Error::StaleVersion`], what access demands, or a failing port.
    #[tracing::instrument(name = "projects.add_member", skip_all, fields(project = %command.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: AddMember) -> Result<(MemberView, Version), Error> {
        let AddMember { project, person, role, expected } = command;
        self.access.require(actor, project, Permission::MembersWrite).await?;
        let person = self.find(person).await?.ok_or(ProjectError::PersonUnknown)?;
        let context = actor.event_context(Some(project));
        let loaded = self.projects.update(context, project, expected, |it| it.add_member(person.id, role)).await?;
        let member = self.views.member(project, person.id).await?.ok_or(ProjectError::NotMember)?;
        Ok((MemberView::new(member, Some(person)), loaded.version))
    }

    async fn find(&self, person: PersonRef) -> Result<Option<Person>, Error> {
        let id = match person {
            PersonRef::Id(id) => Some(id),
            PersonRef::Email(email) => self.directory.find_by_email(&email).await?,
        };
        let Some(id) = id else { return Ok(None) };
        Ok(self.directory.people(&[id]).await?.into_iter().next())
    }
}
