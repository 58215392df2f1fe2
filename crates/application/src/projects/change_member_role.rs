use std::sync::Arc;

use devskyy_domain::{
    kernel::{
        Version,
        ids::{ProjectId, UserId},
    },
    projects::{Project, ProjectError, ProjectRole},
};

use super::{
    ports::{Directory, ProjectViews},
    views::MemberView,
};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    es::Repository,
};

/// A request to change a member's role.
#[derive(Debug)]
pub struct ChangeMemberRole {
    /// The project.
    pub project: ProjectId,
    /// The member.
    pub user: UserId,
    /// Their new role.
    pub role: ProjectRole,
    /// The project's version the caller expects, if any.
    pub expected: Option<Version>,
}

/// Changes members' roles.
pub struct ChangeMemberRoleHandler {
    pub(super) projects: Repository<Project>,
    pub(super) views: Arc<dyn ProjectViews>,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) access: Access,
}

impl ChangeMemberRoleHandler {
    /// Changes the role, and returns the member with the project's version.
    ///
    /// # Errors
    /// [`ProjectError`], [`Error::StaleVersion`], an access error, or a failing port.
    #[tracing::instrument(name = "projects.change_member_role", skip_all, fields(project = %command.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: ChangeMemberRole) -> Result<(MemberView, Version), Error> {
        let ChangeMemberRole { project, user, role, expected } = command;
        let present = self.access.role(project, user).await?;
        self.access.require(actor, project, Permission::to_change(present, Some(role))).await?;
        let context = actor.event_context(Some(project));
        let loaded = self.projects.update(context, project, expected, |it| it.change_member_role(user, role)).await?;
        let member = self.views.member(project, user).await?.ok_or(ProjectError::NotMember)?;
        let person = self.directory.people(&[user]).await?.into_iter().next();
        Ok((MemberView::new(member, person), loaded.version))
    }
}
