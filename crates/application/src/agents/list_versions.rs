use devskyy_domain::kernel::ids::AgentId;

use super::{get_agent::GetAgentHandler, views::AgentVersionSummary};
use crate::{
    access::Permission,
    context::Actor,
    error::Error,
    paging::{PageOf, Part},
};

/// A query for an agent's versions.
#[derive(Debug)]
pub struct ListVersions {
    /// The agent.
    pub agent: AgentId,
    /// The requested part of the list.
    pub page: Part,
}

/// Lists an agent's versions.
pub struct ListVersionsHandler {
    pub(super) get: GetAgentHandler,
}

impl ListVersionsHandler {
    /// The versions, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`], also without access, or a failing port.
    #[tracing::instrument(name = "agents.list_versions", skip_all, fields(agent = %query.agent), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: ListVersions) -> Result<PageOf<AgentVersionSummary>, Error> {
        self.get.permitted(actor, query.agent, Permission::AgentsRead).await?;
        Ok(self.get.views.versions(query.agent, &query.page).await?)
    }
}
