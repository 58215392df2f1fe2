use std::sync::Arc;

use chrono::{DateTime, Utc};
use devskyy_domain::{
    kernel::ids::{AgentId, ProjectId, RunId},
    runs::Waiting,
};

use super::{
    filters::{ChildOf, RunFilter},
    ports::RunViews,
    views::{RunStatus, RunSummary},
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
    /// Those that stand at one of these; anywhere without any.
    pub status: Vec<RunStatus>,
    /// Those that wait for one of these; for anything or nothing without any.
    pub waiting_for: Vec<Waiting>,
    /// Those that one run asked for, or none did.
    pub parent: Option<ChildOf>,
    /// Those that repeat one run.
    pub retry_of: Option<RunId>,
    /// Those that left one run.
    pub forked_from: Option<RunId>,
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
        let scope = self.access.list_scope(actor, query.project, Permission::RunsRead).await?;
        let filter = RunFilter {
            scope,
            agent: query.agent,
            status: query.status,
            waiting_for: query.waiting_for,
            parent: query.parent,
            retry_of: query.retry_of,
            forked_from: query.forked_from,
            created_from: query.created_from,
            created_before: query.created_before,
            sort: query.sort,
        };
        Ok(self.views.list(&filter, &query.page).await?)
    }
}
