use std::sync::Arc;

use super::{ports::ProjectViews, views::ProjectView};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    paging::{PageOf, Part},
};

/// Asks for the projects one may see.
#[derive(Debug, Default)]
pub struct ListProjects {
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
        Ok(self.views.list(scope, &query.page).await?)
    }
}
