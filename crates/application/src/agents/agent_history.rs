use devskyy_domain::{agents::Agent, kernel::ids::AgentId};

use super::{get_agent::GetAgentHandler, published::public};
use crate::{
    access::Permission,
    context::Actor,
    error::Error,
    es::{HistoryEntry, Repository},
    paging::{PageOf, Part},
};

/// A query for the history of an agent.
#[derive(Debug)]
pub struct AgentHistory {
    /// The agent.
    pub agent: AgentId,
    /// The requested part.
    pub page: Part,
}

/// Returns the history of agents.
pub struct AgentHistoryHandler {
    pub(super) agents: Repository<Agent>,
    pub(super) get: GetAgentHandler,
}

impl AgentHistoryHandler {
    /// The agent's events in their public form, oldest first. Access is checked as of now.
    ///
    /// # Errors
    /// [`Error::NotFound`], also without access, or a failing port.
    #[tracing::instrument(name = "agents.history", skip_all, fields(agent = %query.agent), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: AgentHistory) -> Result<PageOf<HistoryEntry>, Error> {
        let seen = self.get.permitted(actor, query.agent, Permission::AgentsRead).await?;
        Ok(self.agents.tell(query.agent, seen.version, &query.page, public).await?)
    }
}
