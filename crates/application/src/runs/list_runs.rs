use std::sync::Arc;

use chrono::{DateTime, Utc};
use devskyy_domain::kernel::ids::{AgentId, ProjectId};

use super::{
    ports::RunViews,
    views::{RunFilter, RunStatus, RunSummary},
};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    paging::{Age, PageOf, Part, Sort},
};

/// Asks for the runs one may see.
#[derive(Debug, Default)]
pub struct ListRuns {
    /// Those of one project.
    pub project: Option<ProjectId>,
    /// Those of one agent.
    pub agent: Option<AgentId>,
    /// Those that stand there.
    pub status: Option<RunStatus>,
    /// Those asked for at this instant or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Those asked for before this instant.
    pub created_before: Option<DateTime<Utc>>,
    /// In which order.
    pub sort: Sort<Age>,
    /// Which part of the list.
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
        let ListRuns { project, agent, status, created_from, created_before, sort, page } = query;
        let scope = self.access.list_scope(actor, project, Permission::RunsRead).await?;
        let filter = RunFilter { scope, agent, status, created_from, created_before, sort };
        Ok(self.views.list(&filter, &page).await?)
    }
}
