use std::sync::Arc;

use devskyy_domain::kernel::ids::{ProjectId, RunId};

use super::{
    filters::ApprovalFilter,
    ports::RunViews,
    views::{ApprovalStatus, ApprovalView},
};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    paging::{PageOf, Part},
};

/// Requests the approvals of runs, oldest first.
#[derive(Debug, Default)]
pub struct ListApprovals {
    /// Approvals of this project.
    pub project: Option<ProjectId>,
    /// Approvals of this run.
    pub run: Option<RunId>,
    /// Approvals with this status.
    pub status: Option<ApprovalStatus>,
    /// The requested page.
    pub page: Part,
}

/// Lists approvals.
pub struct ListApprovalsHandler {
    pub(super) views: Arc<dyn RunViews>,
    pub(super) access: Access,
}

impl ListApprovalsHandler {
    /// One page of the approvals the actor may see.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a project the actor may not see, or a failing port.
    #[tracing::instrument(name = "runs.approvals", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: ListApprovals) -> Result<PageOf<ApprovalView>, Error> {
        let scope = self.access.list_scope(actor, query.project, Permission::RunsRead).await?;
        let filter = ApprovalFilter { scope, run: query.run, status: query.status };
        Ok(self.views.approvals(&filter, &query.page).await?)
    }
}
