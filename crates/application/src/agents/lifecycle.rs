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

/// Asks for an agent to move on in its life.
#[derive(Debug)]
pub struct ChangeLifecycle {
    /// Which agent.
    pub id: AgentId,
    /// The version the caller last saw, if it cares.
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
            /// Does it and returns the agent.
            ///
            /// # Errors
            /// [`devskyy_domain::agents::AgentError`], [`Error::StaleVersion`], what access demands, or a failing port.
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
    /// Lets an agent be run.
    ActivateAgentHandler = "agents.activate", Agent::activate, true;
    /// Starts no runs of an agent for now.
    PauseAgentHandler = "agents.pause", Agent::pause, false;
    /// Lets a paused agent be run again.
    ResumeAgentHandler = "agents.resume", Agent::resume, true;
    /// Keeps an agent for history only; its name becomes free.
    ArchiveAgentHandler = "agents.archive", Agent::archive, false;
}

/// Refuses to let an agent be run while nobody answers for its models.
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
