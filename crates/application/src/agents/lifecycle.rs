use devskyy_domain::{
    agents::{Agent, AgentEvent},
    kernel::{Decision, Version, ids::AgentId},
};

use super::{create_agent::name_claim, get_agent::GetAgentHandler, views::AgentView};
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
    ($($(#[$meta:meta])* $handler:ident = $span:literal, $decision:path;)+) => {$(
        $(#[$meta])*
        pub struct $handler {
            pub(super) agents: Repository<Agent>,
            pub(super) get: GetAgentHandler,
        }

        impl $handler {
            /// Does it and returns the agent.
            ///
            /// # Errors
            /// [`devskyy_domain::agents::AgentError`], [`Error::StaleVersion`], what access demands, or a failing port.
            #[tracing::instrument(name = $span, skip_all, fields(agent = %command.id), err(Debug, level = "debug"))]
            pub async fn handle(&self, actor: &Actor, command: ChangeLifecycle) -> Result<AgentView, Error> {
                change(&self.agents, &self.get, actor, command, $decision).await
            }
        }
    )+};
}

lifecycle_handlers! {
    /// Lets an agent be run.
    ActivateAgentHandler = "agents.activate", Agent::activate;
    /// Starts no runs of an agent for now.
    PauseAgentHandler = "agents.pause", Agent::pause;
    /// Lets a paused agent be run again.
    ResumeAgentHandler = "agents.resume", Agent::resume;
    /// Keeps an agent for history only; its name becomes free.
    ArchiveAgentHandler = "agents.archive", Agent::archive;
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
