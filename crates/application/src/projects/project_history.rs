use devskyy_domain::{kernel::ids::ProjectId, projects::Project};

use super::{get_project::GetProjectHandler, published::public};
use crate::{
    access::Permission,
    context::Actor,
    error::Error,
    es::{HistoryEntry, Repository},
    paging::{PageOf, Part},
};

/// Asks what happened to a project.
#[derive(Debug)]
pub struct ProjectHistory {
    /// To which.
    pub project: ProjectId,
    /// Which part of it.
    pub page: Part,
}

/// Tells what happened to projects.
pub struct ProjectHistoryHandler {
    pub(super) projects: Repository<Project>,
    pub(super) get: GetProjectHandler,
}

impl ProjectHistoryHandler {
    /// The project's events in their public form, the oldest first; who may hear them is decided as of now. They say who
    /// came and went, so hearing them takes the right to see who belongs to it.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for strangers, or a failing port.
    #[tracing::instrument(name = "projects.history", skip_all, fields(project = %query.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: ProjectHistory) -> Result<PageOf<HistoryEntry>, Error> {
        let seen = self.get.permitted(actor, query.project, Permission::MembersRead).await?;
        Ok(self.projects.tell(query.project, seen.version, &query.page, public).await?)
    }
}
