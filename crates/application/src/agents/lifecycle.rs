use devskyy_domain::{
    agents::{Agent, AgentEvent, AgentStatus},
    kernel::{Decision, Version, ids::AgentId},
};

use super::{create_agent::name_claim, definition::Definitions, get_agent::GetAgentHandler, views::AgentView};
use crate::{
    access::Permission,
    context::Actor,
    error::Error,
    es::{ClaimChange, Repository},
};

/// A request to change an agent's status.
#[derive(Debug)]
pub struct ChangeLifecycle {
    /// The agent.
    pub id: AgentId,
    /// The version the caller expects, if any.
    pub expected: Option<Version>,
}

macro_rules! lifecycle_handlers {
    ($($(#[$meta:meta])* $handler:ident = $span:literal, $decision:path, $starts:literal;)+) => {$(
        $(#[$meta])*
        pub struct $handler {
            pub(super) agents: Repository<Agent>,
            pub(super) get: GetAgentHandler,
            pub(super) definitions: Definitions,
        }

        impl $handler {
            /// Changes the status and returns the agent.
            ///
            /// # Errors
            /// [`devskyy_domain::agents::AgentError`], [`Error::StaleVersion`], an access error, or a failing port.
            #[tracing::instrument(name = $span, skip_all, fields(agent = %command.id), err(Debug, level = "debug"))]
            pub async fn handle(&self, actor: &Actor, command: ChangeLifecycle) -> Result<AgentView, Error> {
                if $starts {
                    runnable(&self.definitions, &self.get, actor, command.id).await?;
                }
                change(&self.agents, &self.get, actor, command, $decision).await
            }
        }
    )+};
}

lifecycle_handlers! {
    /// Activates an agent, so that it can be run.
    ActivateAgentHandler = "agents.activate", Agent::activate, true;
    /// Pauses an agent: no runs are started for now.
    PauseAgentHandler = "agents.pause", Agent::pause, false;
    /// Resumes a paused agent.
    ResumeAgentHandler = "agents.resume", Agent::resume, true;
    /// Archives an agent for good; its name becomes free.
    ArchiveAgentHandler = "agents.archive", Agent::archive, false;
}

/// Refuses to activate an agent whose models are not available.
async fn runnable(definitions: &Definitions, get: &GetAgentHandler, actor: &Actor, id: AgentId) -> Result<(), Error> {
    let seen = get.permitted(actor, id, Permission::AgentsWrite).await?;
    let Some(current) = seen.current_version.filter(|_| seen.status != AgentStatus::Archived) else { return Ok(()) };
    let Some(version) = get.views.version(id, current).await? else { return Ok(()) };
    definitions.check_models(seen.project_id, &version.definition).await
}

async fn change(
    agents: &Repository<Agent>,
    get: &GetAgentHandler,
    actor: &Actor,
    command: ChangeLifecycle,
    decide: fn(&Agent) -> Decision<Agent>,
) -> Result<AgentView, Error> {
    let ChangeLifecycle { id, expected } = command;
    let seen = get.permitted(actor, id, Permission::AgentsWrite).await?;
    let context = actor.event_context(Some(seen.project_id));
    let claims = |agent: &Agent, events: &[AgentEvent]| freed_name(id, agent, events);
    agents.update_claiming(context, id, expected, decide, claims).await?;
    get.found(id).await
}

fn freed_name(id: AgentId, agent: &Agent, events: &[AgentEvent]) -> Vec<ClaimChange> {
    let archived = events.iter().any(|event| matches!(event, AgentEvent::Archived(_)));
    let details = agent.details().filter(|_| archived);
    let release = |claim| ClaimChange::Release { claim, owner: id.into() };
    details.map(|details| release(name_claim(details.project, &details.name))).into_iter().collect()
}
