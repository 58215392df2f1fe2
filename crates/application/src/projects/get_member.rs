use std::sync::Arc;

use devskyy_domain::kernel::{
    Version,
    ids::{ProjectId, UserId},
};

use super::{
    get_project::GetProjectHandler,
    ports::{Directory, ProjectViews},
    views::MemberView,
};
use crate::{access::Permission, context::Actor, error::Error};

/// A query for one member of a project.
#[derive(Debug)]
pub struct GetMember {
    /// The project.
    pub project: ProjectId,
    /// The member.
    pub user: UserId,
}

/// Returns members.
pub struct GetMemberHandler {
    pub(super) get: GetProjectHandler,
    pub(super) views: Arc<dyn ProjectViews>,
    pub(super) directory: Arc<dyn Directory>,
}

impl GetMemberHandler {
    /// The member with their directory entry, and a version of the project that is not newer.
    ///
    /// # Errors
    /// [`Error::NotFound`], also without access, an access error, or a failing port.
    #[tracing::instrument(name = "projects.get_member", skip_all, fields(project = %query.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetMember) -> Result<(MemberView, Version), Error> {
        let GetMember { project, user } = query;
        let version = self.get.permitted(actor, project, Permission::MembersRead).await?.version;
        let member = self.views.member(project, user).await?;
        let member = member.ok_or_else(|| Error::NotFound(format!("member {user}")))?;
        let person = self.directory.people(&[user]).await?.pop();
        Ok((MemberView::new(member, person), version))
    }
}
