use std::sync::Arc;

use devskyy_domain::{agents::Agent, kernel::ids::AgentId};

use super::{ports::AgentViews, views::AgentView};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    es::{Moment, Repository},
};

/// A query for one agent.
#[derive(Debug)]
pub struct GetAgent {
    /// The agent.
    pub id: AgentId,
    /// The moment; without one, the current state.
    pub moment: Option<Moment>,
}

/// Returns agents.
#[derive(Clone)]
pub struct GetAgentHandler {
    pub(super) agents: Repository<Agent>,
    pub(super) views: Arc<dyn AgentViews>,
    pub(super) access: Access,
}

impl GetAgentHandler {
    /// The agent in its current state or as of a moment. Access is checked as of now.
    ///
    /// # Errors
    /// [`Error::NotFound`], also without access, before it was created and for a version it has not reached; or a
    /// failing port.
    #[tracing::instrument(name = "agents.get", skip_all, fields(agent = %query.id), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetAgent) -> Result<AgentView, Error> {
        let GetAgent { id, moment } = query;
        let seen = self.permitted(actor, id, Permission::AgentsRead).await?;
        let Some(moment) = moment else { return Ok(seen) };
        let recalled = self.agents.recall(id, moment).await?;
        recalled.and_then(|it| AgentView::recalled(id, &it)).ok_or_else(|| moment.absent(&name_of(id)))
    }

    /// The agent, if the actor has the permission.
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

    /// The agent, without an access check.
    pub(super) async fn found(&self, id: AgentId) -> Result<AgentView, Error> {
        self.views.find(id).await?.ok_or_else(|| Error::NotFound(name_of(id)))
    }
}

fn name_of(id: AgentId) -> String {
    format!("agent {id}")
}
