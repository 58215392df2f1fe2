use devskyy_domain::{agents::VersionNumber, kernel::ids::AgentId};

use super::{get_agent::GetAgentHandler, views::AgentVersionView};
use crate::{access::Permission, context::Actor, error::Error};

/// A query for one version of an agent.
#[derive(Debug)]
pub struct GetVersion {
    /// The agent.
    pub agent: AgentId,
    /// Its number.
    pub number: VersionNumber,
}

/// Returns versions with their definitions.
pub struct GetVersionHandler {
    pub(super) get: GetAgentHandler,
}

impl GetVersionHandler {
    /// The version, if the actor may see the agent's project.
    ///
    /// # Errors
    /// [`Error::NotFound`], also without access, or a failing port.
    #[tracing::instrument(name = "agents.get_version", skip_all, fields(agent = %query.agent), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetVersion) -> Result<AgentVersionView, Error> {
        let GetVersion { agent, number } = query;
        self.get.permitted(actor, agent, Permission::AgentsRead).await?;
        let found = self.get.views.version(agent, number).await?;
        found.ok_or_else(|| Error::NotFound(format!("version {number} of agent {agent}")))
    }
}
