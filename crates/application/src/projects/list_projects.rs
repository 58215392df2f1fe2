use std::sync::Arc;

use devskyy_domain::projects::ProjectStatus;

use super::{
    ports::{ProjectFilter, ProjectSort, ProjectViews},
    views::ProjectView,
};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    paging::{PageOf, Part, Sort},
};

/// A query for the projects the actor may see.
#[derive(Debug, Default)]
pub struct ListProjects {
    /// Only those with this status.
    pub status: Option<ProjectStatus>,
    /// Only those whose name contains this text, ignoring case.
    pub name: Option<String>,
    /// The sort order.
    pub sort: Sort<ProjectSort>,
    /// The requested part of the list.
    pub page: Part,
}

/// Lists projects.
pub struct ListProjectsHandler {
    pub(super) views: Arc<dyn ProjectViews>,
    pub(super) access: Access,
}

impl ListProjectsHandler {
    /// The projects the actor is a member of; all of them for an administrator.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] or a failing port.
    #[tracing::instrument(name = "projects.list", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: ListProjects) -> Result<PageOf<ProjectView>, Error> {
        let scope = self.access.list_scope(actor, None, Permission::ProjectsRead).await?;
        let ListProjects { status, name, sort, page } = query;
        Ok(self.views.list(&ProjectFilter { scope, status, name, sort }, &page).await?)
    }
}
