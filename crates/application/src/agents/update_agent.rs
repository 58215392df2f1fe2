use devskyy_domain::{
    agents::{Agent, AgentError, AgentEvent, AgentName, Capabilities, Description},
    kernel::{Version, ids::AgentId},
};
use uuid::Uuid;

use super::{create_agent::name_claim, get_agent::GetAgentHandler, views::AgentView};
use crate::{
    access::Permission,
    context::Actor,
    error::{Error, Refused},
    es::{ClaimChange, Repository},
};

/// A request to change an agent's name, description or capabilities; omitted parts stay.
#[derive(Debug)]
pub struct UpdateAgent {
    /// The agent.
    pub id: AgentId,
    /// Its new name.
    pub name: Option<AgentName>,
    /// Its new description.
    pub description: Option<Description>,
    /// Its new capabilities.
    pub capabilities: Option<Capabilities>,
    /// The version the caller expects, if any.
    pub expected: Option<Version>,
}

impl UpdateAgent {
    /// Parses raw values and reports all that are invalid.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a refusal per invalid member.
    pub fn parse(
        id: AgentId,
        name: Option<&str>,
        description: Option<&str>,
        capabilities: Option<&[String]>,
    ) -> Result<Self, Error> {
        let name = name.map(AgentName::parse).transpose();
        let description = description.map(Description::parse).transpose();
        let capabilities = capabilities.map(Capabilities::parse).transpose();
        match (name, description, capabilities) {
            (Ok(name), Ok(description), Ok(capabilities)) => {
                Ok(Self { id, name, description, capabilities, expected: None })
            }
            (name, description, capabilities) => {
                let wrong = [name.err(), description.err(), capabilities.err()];
                Err(Error::Invalid(wrong.into_iter().flatten().map(Refused::from).collect()))
            }
        }
    }
}

/// Changes agents' names, descriptions and capabilities.
pub struct UpdateAgentHandler {
    pub(super) agents: Repository<Agent>,
    pub(super) get: GetAgentHandler,
}

impl UpdateAgentHandler {
    /// Changes the agent and returns it.
    ///
    /// # Errors
    /// [`devskyy_domain::agents::AgentError`], [`Error::StaleVersion`], an access error, or a failing port.
    #[tracing::instrument(name = "agents.update", skip_all, fields(agent = %command.id), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: UpdateAgent) -> Result<AgentView, Error> {
        let UpdateAgent { id, name, description, capabilities, expected } = command;
        let seen = self.get.permitted(actor, id, Permission::AgentsWrite).await?;
        let context = actor.event_context(Some(seen.project_id));
        let decide = |agent: &Agent| agent.change(name.as_ref(), description.as_ref(), capabilities.as_ref());
        let claims = |agent: &Agent, events: &[AgentEvent]| renaming(id.into(), agent, events);
        self.agents
            .update_claiming(context, id, expected, decide, claims)
            .await
            .map_err(|error| error.where_taken(AgentError::NameTaken))?;
        self.get.found(id).await
    }
}

/// A rename takes the new name and releases the old one with its event.
fn renaming(owner: Uuid, agent: &Agent, events: &[AgentEvent]) -> Vec<ClaimChange> {
    let Some(details) = agent.details() else { return vec![] };
    let renamed = events.iter().find_map(|event| match event {
        AgentEvent::Renamed(it) if it.name.normalised() != details.name.normalised() => Some(&it.name),
        _ => None,
    });
    let Some(to) = renamed else { return vec![] };
    let (old, new) = (name_claim(details.project, &details.name), name_claim(details.project, to));
    vec![ClaimChange::Release { claim: old, owner }, ClaimChange::Take { claim: new, owner }]
}
