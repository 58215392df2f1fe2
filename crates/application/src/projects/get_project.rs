use std::sync::Arc;

use devskyy_domain::{kernel::ids::ProjectId, projects::Project};

use super::{ports::ProjectViews, views::ProjectView};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    es::{Moment, Repository},
};

/// A query for one project.
#[derive(Debug)]
pub struct GetProject {
    /// The project.
    pub id: ProjectId,
    /// The moment; without one, the current state.
    pub moment: Option<Moment>,
}

/// Returns projects.
#[derive(Clone)]
pub struct GetProjectHandler {
    pub(super) projects: Repository<Project>,
    pub(super) views: Arc<dyn ProjectViews>,
    pub(super) access: Access,
}

impl GetProjectHandler {
    /// The project in its current state or as of a moment. Access is checked as of now.
    ///
    /// # Errors
    /// [`Error::NotFound`], also without access, before it was created and for a version it has not reached; or a
    /// failing port.
    #[tracing::instrument(name = "projects.get", skip_all, fields(project = %query.id), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetProject) -> Result<ProjectView, Error> {
        let GetProject { id, moment } = query;
        let Some(moment) = moment else { return self.permitted(actor, id, Permission::ProjectsRead).await };
        self.access.require(actor, id, Permission::ProjectsRead).await?;
        let recalled = self.projects.recall(id, moment).await?;
        recalled.and_then(|it| ProjectView::recalled(id, &it)).ok_or_else(|| moment.absent(&name_of(id)))
    }

    /// The project, if the actor has the permission.
    pub(super) async fn permitted(
        &self,
        actor: &Actor,
        id: ProjectId,
        permission: Permission,
    ) -> Result<ProjectView, Error> {
        self.access.require(actor, id, permission).await?;
        self.found(id).await
    }

    /// The current state of the project, without an access check.
    pub(super) async fn found(&self, id: ProjectId) -> Result<ProjectView, Error> {
        self.views.find(id).await?.ok_or_else(|| Error::NotFound(name_of(id)))
    }
}

fn name_of(id: ProjectId) -> String {
    format!("project {id}")
}
