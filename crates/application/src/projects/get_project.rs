use std::sync::Arc;

use devskyy_domain::kernel::ids::ProjectId;

use super::{ports::ProjectViews, views::ProjectView};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
};

/// Asks for one project.
#[derive(Debug)]
pub struct GetProject {
    /// Which.
    pub id: ProjectId,
}

/// Shows projects.
pub struct GetProjectHandler {
    pub(super) views: Arc<dyn ProjectViews>,
    pub(super) access: Access,
}

impl GetProjectHandler {
    /// The project, for those who may see it.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for strangers, or a failing port.
    #[tracing::instrument(name = "projects.get", skip_all, fields(project = %query.id), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetProject) -> Result<ProjectView, Error> {
        self.access.require(actor, query.id, Permission::ProjectsRead).await?;
        self.views.find(query.id).await?.ok_or_else(|| Error::NotFound(format!("project {}", query.id)))
    }
}
