use devskyy_domain::{
    kernel::{
        Version,
        ids::{ProjectId, UserId},
    },
    projects::Project,
};

use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    es::Repository,
};

/// A request to remove a member.
#[derive(Debug)]
pub struct RemoveMember {
    /// The project.
    pub project: ProjectId,
    /// The member.
    pub user: UserId,
    /// The project's version the caller expects, if any.
    pub expected: Option<Version>,
}

/// Removes members.
pub struct RemoveMemberHandler {
    pub(super) projects: Repository<Project>,
    pub(super) access: Access,
}

impl RemoveMemberHandler {
    /// Removes the member and returns the project's version. Every member may leave.
    ///
    /// # Errors
    /// [`devskyy_domain::projects::ProjectError`], [`Error::StaleVersion`], an access error, or a failing port.
    #[tracing::instrument(name = "projects.remove_member", skip_all, fields(project = %command.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: RemoveMember) -> Result<Version, Error> {
        let RemoveMember { project, user, expected } = command;
        let needed = if actor.user() == Some(user) {
            Permission::ProjectsRead
        } else {
            Permission::to_change(self.access.role(project, user).await?, None)
        };
        self.access.require(actor, project, needed).await?;
        let context = actor.event_context(Some(project));
        let loaded = self.projects.update(context, project, expected, |it| it.remove_member(user)).await?;
        Ok(loaded.version)
    }
}
