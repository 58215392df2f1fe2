use devskyy_domain::{kernel::ids::ProjectId, projects::Project};

use super::{get_project::GetProjectHandler, published::public};
use crate::{
    access::Permission,
    context::Actor,
    error::Error,
    es::{HistoryEntry, Repository},
    paging::{PageOf, Part},
};

/// A query for the history of a project.
#[derive(Debug)]
pub struct ProjectHistory {
    /// The project.
    pub project: ProjectId,
    /// The requested part.
    pub page: Part,
}

/// Returns the history of projects.
pub struct ProjectHistoryHandler {
    pub(super) projects: Repository<Project>,
    pub(super) get: GetProjectHandler,
}

impl ProjectHistoryHandler {
    /// The project's events in their public form, oldest first. Access is checked as of now and requires the permission
    /// to see members, because the events name them.
    ///
    /// # Errors
    /// [`Error::NotFound`], also without access, or a failing port.
    #[tracing::instrument(name = "projects.history", skip_all, fields(project = %query.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: ProjectHistory) -> Result<PageOf<HistoryEntry>, Error> {
        let seen = self.get.permitted(actor, query.project, Permission::MembersRead).await?;
        Ok(self.projects.tell(query.project, seen.version, &query.page, public).await?)
    }
}
