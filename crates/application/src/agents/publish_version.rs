use devskyy_domain::{
    agents::{Agent, AgentError, AgentStatus},
    kernel::{Json, Version, ids::AgentId},
};

use super::{
    definition::Definitions,
    get_agent::GetAgentHandler,
    views::{AgentVersionView, AgentView},
};
use crate::{
    access::Permission,
    context::Actor,
    error::Error,
    es::{Idempotency, Repository, Updated},
};

/// A request to publish a definition, from which runs start.
#[derive(Debug)]
pub struct PublishVersion {
    /// The agent.
    pub agent: AgentId,
    /// The definition.
    pub definition: Json,
    /// The agent's aggregate version (not its definition's) that the caller expects, if any.
    pub expected: Option<Version>,
    /// Recognises a repeated request.
    pub idempotency: Option<Idempotency>,
}

/// Publishes versions. Equal content is the same version, so publishing it again changes nothing.
pub struct PublishVersionHandler {
    pub(super) agents: Repository<Agent>,
    pub(super) get: GetAgentHandler,
    pub(super) definitions: Definitions,
}

impl PublishVersionHandler {
    /// Publishes the definition, and returns its version with the agent.
    ///
    /// # Errors
    /// An invalid definition, [`AgentError`], [`Error::StaleVersion`], an access error, or a failing port.
    #[tracing::instrument(name = "agents.publish_version", skip_all, fields(agent = %command.agent), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: PublishVersion) -> Result<(AgentVersionView, AgentView), Error> {
        let (id, idempotency) = (command.agent, command.idempotency.clone());
        let updated = match self.publish(actor, command).await {
            Ok(updated) => updated,
            Err(refused) => {
                let context = actor.event_context(None);
                self.agents.changed_before(context, id, idempotency.as_ref(), refused).await?
            }
        };
        let state = updated.loaded.state;
        let number = state.details().and_then(|details| details.current).ok_or(AgentError::NoVersion)?;
        let version = self.get.views.version(id, number).await?;
        let version = version.ok_or_else(|| Error::NotFound(format!("version {number} of agent {id}")))?;
        Ok((version, self.get.found(id).await?))
    }

    async fn publish(&self, actor: &Actor, command: PublishVersion) -> Result<Updated<Agent>, Error> {
        let PublishVersion { agent: id, definition, expected, idempotency } = command;
        let seen = self.get.permitted(actor, id, Permission::AgentsWrite).await?;
        if seen.status == AgentStatus::Archived {
            return Err(AgentError::Archived.into());
        }
        let definition = self.definitions.read(seen.project_id, seen.kind, &definition).await?;
        if seen.status == AgentStatus::Active {
            self.definitions.check_models(seen.project_id, &definition).await?;
        }
        let context = actor.event_context(Some(seen.project_id));
        self.agents.update_once(context, id, expected, idempotency, |agent| agent.publish(&definition)).await
    }
}
