use std::sync::Arc;

use devskyy_domain::{kernel::ids::ProjectId, projects::Project};

use super::{ports::ProjectViews, views::ProjectView};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    es::{Moment, Repository},
};

/// Asks for one project.
#[derive(Debug)]
pub struct GetProject {
    /// Which.
    pub id: ProjectId,
    /// As of when; as it stands, without it.
    pub moment: Option<Moment>,
}

/// Shows projects.
#[derive(Clone)]
pub struct GetProjectHandler {
    pub(super) projects: Repository<Project>,
    pub(super) views: Arc<dyn ProjectViews>,
    pub(super) access: Access,
}

impl GetProjectHandler {
    /// The project for those who may see it, as it stands or as it was at a moment; who may see it is decided as of now.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for strangers, before it was created and for a version it has not come to; or a failing
    /// port.
    #[tracing::instrument(name = "projects.get", skip_all, fields(project = %query.id), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetProject) -> Result<ProjectView, Error> {
        let GetProject { id, moment } = query;
        let Some(moment) = moment else { return self.permitted(actor, id, Permission::ProjectsRead).await };
        self.access.require(actor, id, Permission::ProjectsRead).await?;
        let recalled = self.projects.recall(id, moment).await?;
        recalled.and_then(|it| ProjectView::recalled(id, &it)).ok_or_else(|| moment.absent(&name_of(id)))
    }

    /// The project, where the actor may do this to it.
    pub(super) async fn permitted(
        &self,
        actor: &Actor,
        id: ProjectId,
        permission: Permission,
    ) -> Result<ProjectView, Error> {
        self.access.require(actor, id, permission).await?;
        self.found(id).await
    }

    /// The project as it stands, for whoever has been let pass.
    pub(super) async fn found(&self, id: ProjectId) -> Result<ProjectView, Error> {
        self.views.find(id).await?.ok_or_else(|| Error::NotFound(name_of(id)))
    }
}

fn name_of(id: ProjectId) -> String {
    format!("project {id}")
}
