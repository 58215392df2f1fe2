use devskyy_domain::{agents::Agent, kernel::ids::AgentId};

use super::{get_agent::GetAgentHandler, published::public};
use crate::{
    access::Permission,
    context::Actor,
    error::Error,
    es::{HistoryEntry, Repository},
    paging::{PageOf, Part},
};

/// Asks what happened to an agent.
#[derive(Debug)]
pub struct AgentHistory {
    /// To which.
    pub agent: AgentId,
    /// Which part of it.
    pub page: Part,
}

/// Tells what happened to agents.
pub struct AgentHistoryHandler {
    pub(super) agents: Repository<Agent>,
    pub(super) get: GetAgentHandler,
}

impl AgentHistoryHandler {
    /// The agent's events in their public form, the oldest first; who may hear them is decided as of now.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for strangers, or a failing port.
    #[tracing::instrument(name = "agents.history", skip_all, fields(agent = %query.agent), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: AgentHistory) -> Result<PageOf<HistoryEntry>, Error> {
        let seen = self.get.permitted(actor, query.agent, Permission::AgentsRead).await?;
        Ok(self.agents.tell(query.agent, seen.version, &query.page, public).await?)
    }
}
