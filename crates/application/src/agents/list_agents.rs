use std::sync::Arc;

use devskyy_domain::{
    agents::{AgentStatus, AgentType},
    kernel::ids::ProjectId,
};

use super::{
    ports::{AgentFilter, AgentSort, AgentViews},
    views::AgentView,
};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    paging::{PageOf, Part, Sort},
};

/// A query for agents.
#[derive(Debug, Default)]
pub struct ListAgents {
    /// Only those of this project; otherwise of all that the actor may see.
    pub project: Option<ProjectId>,
    /// Only those with this status.
    pub status: Option<AgentStatus>,
    /// Only those of this type.
    pub kind: Option<AgentType>,
    /// Only those whose name contains this text, ignoring case.
    pub name: Option<String>,
    /// Only those that declare this capability.
    pub capability: Option<String>,
    /// The sort order.
    pub sort: Sort<AgentSort>,
    /// The requested part of the list.
    pub page: Part,
}

/// Lists agents.
pub struct ListAgentsHandler {
    pub(super) views: Arc<dyn AgentViews>,
    pub(super) access: Access,
}

impl ListAgentsHandler {
    /// The agents the actor may see.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a project the actor may not see, or a failing port.
    #[tracing::instrument(name = "agents.list", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: ListAgents) -> Result<PageOf<AgentView>, Error> {
        let ListAgents { project, status, kind, name, capability, sort, page } = query;
        let scope = self.access.list_scope(actor, project, Permission::AgentsRead).await?;
        Ok(self.views.list(AgentFilter { scope, status, kind, name, capability, sort }, &page).await?)
    }
}
