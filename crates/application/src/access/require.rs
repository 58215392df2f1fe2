use std::sync::Arc;

use devskyy_domain::{
    identity::PlatformRole,
    kernel::ids::{ProjectId, UserId},
    projects::{ProjectError, ProjectStatus},
};

use super::{
    ports::{Memberships, Standing},
    table::{Permission, allows},
};
use crate::{
    context::{Actor, Subject},
    error::Error,
};

/// Which projects' things a list may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListScope {
    /// Those of every project.
    Everything,
    /// Those of the projects a person belongs to.
    MemberOf(UserId),
    /// Those of one project.
    Project(ProjectId),
}

/// Lets pass who may, and stops everybody else before anything happens.
#[derive(Clone)]
pub struct Access {
    memberships: Arc<dyn Memberships>,
}

impl Access {
    /// Access rules over the memberships as they are.
    #[must_use]
    pub fn new(memberships: Arc<dyn Memberships>) -> Self {
        Self { memberships }
    }

    /// Passes when the actor may do this in the project.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::NotFound`] for a project the actor may not see, [`Error::Forbidden`] for
    /// one they may see, and a refusal when the project is on hold or archived.
    pub async fn require(&self, actor: &Actor, project: ProjectId, permission: Permission) -> Result<(), Error> {
        let (user, role) = match actor.subject {
            Subject::System(_) => return Ok(()),
            Subject::Anonymous => return Err(Error::Unauthenticated),
            Subject::User { id, role, .. } => (id, role),
        };
        let hidden = || Error::NotFound(format!("project {project}"));
        let standing = self.memberships.standing(project, user).await?.ok_or_else(hidden)?;
        if !allows(role, standing.role, Permission::ProjectsRead) {
            return Err(hidden());
        }
        if !allows(role, standing.role, permission) {
            return Err(Error::Forbidden);
        }
        in_use(standing, permission)
    }

    /// Passes when the actor may do this to a thing of the project; to a stranger the thing itself is not found.
    ///
    /// # Errors
    /// As [`Access::require`], but what is not found is `thing`.
    pub async fn require_on(
        &self,
        actor: &Actor,
        project: ProjectId,
        permission: Permission,
        thing: impl FnOnce() -> String + Send,
    ) -> Result<(), Error> {
        match self.require(actor, project, permission).await {
            Err(Error::NotFound(_)) => Err(Error::NotFound(thing())),
            other => other,
        }
    }

    /// What a list may show the actor, of one project or of all they may see.
    ///
    /// # Errors
    /// As [`Access::require`].
    pub async fn list_scope(
        &self,
        actor: &Actor,
        project: Option<ProjectId>,
        permission: Permission,
    ) -> Result<ListScope, Error> {
        if let Some(project) = project {
            self.require(actor, project, permission).await?;
            return Ok(ListScope::Project(project));
        }
        match actor.subject {
            Subject::System(_) => Ok(ListScope::Everything),
            Subject::User { role, .. } if allows(role, None, permission) => Ok(ListScope::Everything),
            Subject::User { id, .. } => Ok(ListScope::MemberOf(id)),
            Subject::Anonymous => Err(Error::Unauthenticated),
        }
    }

    /// The project a signed-in person's things go to when they name none.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] without a person, [`Error::NotFound`] when they have no such project.
    pub async fn personal_project(&self, actor: &Actor) -> Result<ProjectId, Error> {
        let user = actor.user().ok_or(Error::Unauthenticated)?;
        let project = self.memberships.personal_project(user).await?;
        project.ok_or_else(|| Error::NotFound("your personal project".to_owned()))
    }

    /// Passes when the actor runs the platform.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] or [`Error::Forbidden`].
    pub fn require_admin(actor: &Actor) -> Result<(), Error> {
        match actor.subject {
            Subject::System(_) | Subject::User { role: PlatformRole::Admin, .. } => Ok(()),
            Subject::User { .. } => Err(Error::Forbidden),
            Subject::Anonymous => Err(Error::Unauthenticated),
        }
    }
}

fn in_use(standing: Standing, permission: Permission) -> Result<(), Error> {
    match standing.status {
        ProjectStatus::Suspended if permission.needs_active_project() => Err(ProjectError::Suspended.into()),
        ProjectStatus::Archived if permission.needs_active_project() => Err(ProjectError::Archived.into()),
        ProjectStatus::Active | ProjectStatus::Suspended | ProjectStatus::Archived => Ok(()),
    }
}
