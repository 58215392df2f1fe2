use std::sync::Arc;

use devskyy_domain::{
    identity::PlatformRole,
    kernel::ids::{ProjectId, UserId},
    projects::{ProjectError, ProjectRole, ProjectStatus},
};
use uuid::Uuid;

use super::{
    ports::{Memberships, Standing},
    table::{Permission, PlatformPermission, allows, allows_on_platform},
};
use crate::{
    audit::SecurityLog,
    context::{Actor, Subject},
    error::{Error, PortError},
};

/// The projects whose contents a list may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListScope {
    /// All projects.
    Everything,
    /// The projects a user is a member of.
    MemberOf(UserId),
    /// One project.
    Project(ProjectId),
}

/// Why access is denied.
enum Denied {
    /// The project exists, but the actor may not know that.
    Unseen,
    /// There is no such project.
    Absent,
    /// The actor may see the project, but not do this.
    Forbidden,
    /// The actor may see the project, but API keys may not do this.
    PeopleOnly,
    /// Another error, independent of the actor's permissions.
    Otherwise(Error),
}

impl From<Error> for Denied {
    fn from(error: Error) -> Self {
        Self::Otherwise(error)
    }
}

/// Checks permissions before a handler does anything.
#[derive(Clone)]
pub struct Access {
    memberships: Arc<dyn Memberships>,
    security: Option<SecurityLog>,
}

impl Access {
    /// Access rules over current memberships.
    #[must_use]
    pub fn new(memberships: Arc<dyn Memberships>) -> Self {
        Self { memberships, security: None }
    }

    /// The same rules, with every denial recorded in the security log.
    #[must_use]
    pub fn noting(self, security: SecurityLog) -> Self {
        Self { security: Some(security), ..self }
    }

    /// Succeeds if the actor may do this in the project.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::NotFound`] for a project the actor may not see, [`Error::Denied`] or
    /// [`Error::PeopleOnly`] for one they may see, and a refusal when the project is on hold or archived.
    pub async fn require(&self, actor: &Actor, project: ProjectId, permission: Permission) -> Result<(), Error> {
        let verdict = self.judge(actor, project, permission).await;
        if let (Err(Denied::Unseen | Denied::Forbidden | Denied::PeopleOnly), Some(security)) =
            (&verdict, &self.security)
        {
            security.denied(actor, Some(project), permission.as_str());
        }
        verdict.map_err(|denied| match denied {
            Denied::Unseen | Denied::Absent => Error::NotFound(format!("project {project}")),
            Denied::Forbidden => Error::Denied,
            Denied::PeopleOnly => Error::PeopleOnly,
            Denied::Otherwise(error) => error,
        })
    }

    async fn judge(&self, actor: &Actor, project: ProjectId, permission: Permission) -> Result<(), Denied> {
        let (user, role, most) = match &actor.subject {
            Subject::System(_) => return Ok(()),
            Subject::Anonymous => return Err(Error::Unauthenticated.into()),
            Subject::User { id, role, .. } => (*id, *role, ProjectRole::Owner),
            Subject::Key { grant, .. } if grant.project == project => (grant.issuer, PlatformRole::Member, grant.role),
            Subject::Key { .. } => return Err(Denied::Unseen),
        };
        let standing = self.memberships.standing(project, user).await.map_err(Error::from)?.ok_or(Denied::Absent)?;
        let in_project = standing.role.map(|present| present.at_most(most));
        if !allows(role, in_project, Permission::ProjectsRead) {
            return Err(Denied::Unseen);
        }
        if !allows(role, in_project, permission) {
            return Err(Denied::Forbidden);
        }
        in_scope(&actor.subject, permission)?;
        Ok(in_use(standing, permission)?)
    }

    /// A user's role in a project, if they have one.
    ///
    /// # Errors
    /// A failing port.
    pub async fn role(&self, project: ProjectId, user: UserId) -> Result<Option<ProjectRole>, Error> {
        Ok(self.memberships.standing(project, user).await?.and_then(|standing| standing.role))
    }

    /// Whether the actor may learn that a user has an account: if the actor may see all accounts, or shares a project
    /// with the user. For a key, its issuer counts.
    ///
    /// # Errors
    /// A failing port.
    pub async fn knows(&self, actor: &Actor, other: UserId) -> Result<bool, Error> {
        if Self::require_on_platform(actor, PlatformPermission::UsersRead).is_ok() {
            return Ok(true);
        }
        let one = match &actor.subject {
            Subject::User { id, .. } => *id,
            Subject::Key { grant, .. } => grant.issuer,
            Subject::Anonymous | Subject::System(_) => return Ok(false),
        };
        Ok(self.memberships.acquainted(one, other).await?)
    }

    /// Succeeds if the actor may do this to a thing of the project; it is not found if they may not see the project.
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

    /// The projects a list may show to the actor: the given one, or all they may see.
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
        match &actor.subject {
            Subject::System(_) => Ok(ListScope::Everything),
            Subject::User { role, .. } if allows(*role, None, permission) => Ok(ListScope::Everything),
            Subject::User { id, .. } => Ok(ListScope::MemberOf(*id)),
            Subject::Key { grant, .. } => {
                self.require(actor, grant.project, permission).await?;
                Ok(ListScope::Project(grant.project))
            }
            Subject::Anonymous => Err(Error::Unauthenticated),
        }
    }

    /// The project an actor's things belong to when they name none: a person's personal project, a key's only one.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] without a person, [`Error::NotFound`] when they have no personal project.
    pub async fn personal_project(&self, actor: &Actor) -> Result<ProjectId, Error> {
        if let Subject::Key { grant, .. } = &actor.subject {
            return Ok(grant.project);
        }
        let user = actor.user().ok_or(Error::Unauthenticated)?;
        let project = self.memberships.personal_project(user).await?;
        project.ok_or_else(|| Error::NotFound("your personal project".to_owned()))
    }

    /// Whether a project is archived now.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    pub async fn archived(&self, project: ProjectId) -> Result<bool, PortError> {
        let standing = self.memberships.standing(project, UserId::from(Uuid::nil())).await?;
        Ok(standing.is_some_and(|standing| standing.status == ProjectStatus::Archived))
    }

    /// Succeeds if the actor may do this on the platform as a whole. The API records the denial.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] or [`Error::Forbidden`].
    pub fn require_on_platform(actor: &Actor, permission: PlatformPermission) -> Result<(), Error> {
        match actor.subject {
            Subject::System(_) => Ok(()),
            Subject::User { role, .. } if allows_on_platform(role, permission) => Ok(()),
            Subject::User { .. } | Subject::Key { .. } => Err(Error::Forbidden),
            Subject::Anonymous => Err(Error::Unauthenticated),
        }
    }
}

/// People are limited by their roles only; keys also by their scopes.
fn in_scope(subject: &Subject, permission: Permission) -> Result<(), Denied> {
    match subject {
        Subject::Key { .. } if !permission.suits_keys() => Err(Denied::PeopleOnly),
        Subject::Key { grant, .. } if !grant.scopes.contains(permission.as_str()) => Err(Denied::Forbidden),
        Subject::Key { .. } | Subject::User { .. } | Subject::System(_) | Subject::Anonymous => Ok(()),
    }
}

fn in_use(standing: Standing, permission: Permission) -> Result<(), Error> {
    match standing.status {
        ProjectStatus::Suspended if permission.needs_active_project() => Err(ProjectError::Suspended.into()),
        ProjectStatus::Archived if permission.needs_active_project() => Err(ProjectError::Archived.into()),
        ProjectStatus::Active | ProjectStatus::Suspended | ProjectStatus::Archived => Ok(()),
    }
}
