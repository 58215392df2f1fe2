use std::sync::Arc;

use devskyy_domain::kernel::ids::ProjectId;

use super::{filters::RunFilter, ports::RunViews, views::RunSummary};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    paging::{PageOf, Part},
};

/// Requests the runs the actor may see.
#[derive(Debug, Default)]
pub struct ListRuns {
    /// Runs of this project.
    pub project: Option<ProjectId>,
    /// The filter and the order.
    pub filter: RunFilter,
    /// The requested page.
    pub page: Part,
}

/// Lists runs.
pub struct ListRunsHandler {
    pub(super) views: Arc<dyn RunViews>,
    pub(super) access: Access,
}

impl ListRunsHandler {
    /// One page of the runs the actor may see.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a project the actor may not see, or a failing port.
    #[tracing::instrument(name = "runs.list", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: ListRuns) -> Result<PageOf<RunSummary>, Error> {
        let scope = self.access.list_scope(actor, query.project, Permission::RunsRead).await?;
        Ok(self.views.list(scope, &query.filter, &query.page).await?)
    }
}
