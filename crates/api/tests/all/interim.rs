use std::sync::Arc;

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    paging::{PageOf, PageRequest},
    runs::{ApprovalFilter, ApprovalView, RunFilter, RunSummary, RunViews, RunnableAgent, RunnableAgents},
};
use devskyy_domain::{
    kernel::ids::{AgentId, ApprovalId, RunId},
    workflow::Workflow,
};

/// A platform on which nothing runs.
pub(crate) struct Idle;

#[async_trait]
impl RunViews for Idle {
    async fn find(&self, _: RunId) -> Result<Option<RunSummary>, PortError> {
        Ok(None)
    }

    async fn list(&self, _: &RunFilter, _: PageRequest) -> Result<PageOf<RunSummary>, PortError> {
        Ok(PageOf { items: vec![], total: 0 })
    }

    async fn approval(&self, _: ApprovalId) -> Result<Option<ApprovalView>, PortError> {
        Ok(None)
    }

    async fn approvals(&self, _: &ApprovalFilter, _: PageRequest) -> Result<PageOf<ApprovalView>, PortError> {
        Ok(PageOf { items: vec![], total: 0 })
    }
}

#[async_trait]
impl RunnableAgents for Idle {
    async fn find(&self, _: AgentId) -> Result<Option<RunnableAgent>, PortError> {
        Ok(None)
    }

    async fn workflow(&self, _: AgentId, _: u32) -> Result<Option<Arc<Workflow>>, PortError> {
        Ok(None)
    }
}
