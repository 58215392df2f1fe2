use devskyy_domain::{agents::VersionNumber, kernel::ids::AgentId};

use super::{get_agent::GetAgentHandler, views::AgentVersionView};
use crate::{access::Permission, context::Actor, error::Error};

/// Asks for one version of an agent.
#[derive(Debug)]
pub struct GetVersion {
    /// Of which agent.
    pub agent: AgentId,
    /// Its number.
    pub number: VersionNumber,
}

/// Shows versions with what they do.
pub struct GetVersionHandler {
    pub(super) get: GetAgentHandler,
}

impl GetVersionHandler {
    /// The version, for those who may see the agent's project.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for strangers, or a failing port.
    #[tracing::instrument(name = "agents.get_version", skip_all, fields(agent = %query.agent), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetVersion) -> Result<AgentVersionView, Error> {
        let GetVersion { agent, number } = query;
        self.get.permitted(actor, agent, Permission::AgentsRead).await?;
        let found = self.get.views.version(agent, number).await?;
        found.ok_or_else(|| Error::NotFound(format!("version {number} of agent {agent}")))
    }
}
