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

/// Asks for the projects one may see.
#[derive(Debug, Default)]
pub struct ListProjects {
    /// Only those with this status.
    pub status: Option<ProjectStatus>,
    /// Only those with this in their name, letters' case aside.
    pub name: Option<String>,
    /// In which order.
    pub sort: Sort<ProjectSort>,
    /// Which part of the list.
    pub page: Part,
}

/// Lists projects.
pub struct ListProjectsHandler {
    pub(super) views: Arc<dyn ProjectViews>,
    pub(super) access: Access,
}

impl ListProjectsHandler {
    /// The projects the actor belongs to; all of them for whoever runs the platform.
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
