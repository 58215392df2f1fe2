use std::sync::Arc;

use devskyy_domain::kernel::ids::AgentId;

use super::{ports::AgentViews, views::AgentView};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
};

/// Asks for one agent.
#[derive(Debug)]
pub struct GetAgent {
    /// Which.
    pub id: AgentId,
}

/// Shows agents.
#[derive(Clone)]
pub struct GetAgentHandler {
    pub(super) views: Arc<dyn AgentViews>,
    pub(super) access: Access,
}

impl GetAgentHandler {
    /// The agent, for those who may see its project.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for strangers, or a failing port.
    #[tracing::instrument(name = "agents.get", skip_all, fields(agent = %query.id), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetAgent) -> Result<AgentView, Error> {
        self.permitted(actor, query.id, Permission::AgentsRead).await
    }

    /// The agent, where the actor may do this to it.
    pub(super) async fn permitted(
        &self,
        actor: &Actor,
        id: AgentId,
        permission: Permission,
    ) -> Result<AgentView, Error> {
        if actor.is_anonymous() {
            return Err(Error::Unauthenticated);
        }
        let agent = self.found(id).await?;
        self.access.require_on(actor, agent.project_id, permission, || name_of(id)).await?;
        Ok(agent)
    }

    /// The agent, whoever asks.
    pub(super) async fn found(&self, id: AgentId) -> Result<AgentView, Error> {
        self.views.find(id).await?.ok_or_else(|| Error::NotFound(name_of(id)))
    }
}

fn name_of(id: AgentId) -> String {
    format!("agent {id}")
}
