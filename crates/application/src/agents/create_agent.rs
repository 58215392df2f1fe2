use std::sync::Arc;

use devskyy_domain::{
    agents::{Agent, AgentError, AgentEvent, AgentName, AgentType, Capabilities, Description, NewAgent},
    kernel::{
        Json,
        ids::{AgentId, ProjectId},
    },
};

use super::{definition::Definitions, get_agent::GetAgentHandler, views::AgentView};
use crate::{
    access::Permission,
    context::Actor,
    error::{Error, Refused},
    es::{Claim, ClaimChange, Created, Idempotency, Repository},
    ports::IdGenerator,
};

/// A request to create an agent.
#[derive(Debug)]
pub struct CreateAgent {
    /// Its project; the actor's personal one if omitted.
    pub project: Option<ProjectId>,
    /// Its name.
    pub name: AgentName,
    /// Its type.
    pub kind: AgentType,
    /// Its declared capabilities.
    pub capabilities: Capabilities,
    /// Its description.
    pub description: Description,
    /// Its definition; if given, published as version 1 and activated.
    pub definition: Option<Json>,
    /// Recognises a repeated request.
    pub idempotency: Option<Idempotency>,
}

impl CreateAgent {
    /// Parses raw values and reports all that are invalid.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a refusal per invalid member.
    pub fn parse(name: &str, kind: &str, capabilities: &[String], description: &str) -> Result<Self, Error> {
        let (name, kind) = (AgentName::parse(name), AgentType::parse(kind));
        match (name, kind, Capabilities::parse(capabilities), Description::parse(description)) {
            (Ok(name), Ok(kind), Ok(capabilities), Ok(description)) => {
                let (project, definition, idempotency) = (None, None, None);
                Ok(Self { project, name, kind, capabilities, description, definition, idempotency })
            }
            (name, kind, capabilities, description) => {
                let wrong = [name.err(), kind.err(), capabilities.err(), description.err()];
                Err(Error::Invalid(wrong.into_iter().flatten().map(Refused::from).collect()))
            }
        }
    }
}

/// Creates agents.
pub struct CreateAgentHandler {
    pub(super) agents: Repository<Agent>,
    pub(super) get: GetAgentHandler,
    pub(super) definitions: Definitions,
    pub(super) ids: Arc<dyn IdGenerator>,
}

impl CreateAgentHandler {
    /// Creates the agent and returns it.
    ///
    /// # Errors
    /// [`AgentError`], an invalid definition, an access error, or a failing port.
    #[tracing::instrument(name = "agents.create", skip_all, err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: CreateAgent) -> Result<AgentView, Error> {
        let idempotency = command.idempotency.clone();
        let created = match self.create(actor, command).await {
            Ok(created) => created,
            Err(refused) => {
                let context = actor.event_context(None);
                self.agents.created_before(context, idempotency.as_ref(), refused).await?
            }
        };
        self.get.found(created.id).await
    }

    async fn create(&self, actor: &Actor, command: CreateAgent) -> Result<Created<Agent>, Error> {
        let CreateAgent { project, name, kind, capabilities, description, definition, idempotency } = command;
        let project = match project {
            Some(project) => project,
            None => self.get.access.personal_project(actor).await?,
        };
        self.get.access.require(actor, project, Permission::AgentsWrite).await?;
        let new = NewAgent { project, name, kind, capabilities, description };
        let definition = match &definition {
            Some(raw) => Some(self.definitions.read(project, kind, raw).await?),
            None => None,
        };
        if let Some(definition) = &definition {
            self.definitions.check_models(project, definition).await?;
        }
        let events = Agent::default().create(&new, definition.as_ref())?;
        let id = AgentId::from(self.ids.next());
        let claim = ClaimChange::Take { claim: name_claim(project, &new.name), owner: id.into() };
        let context = actor.event_context(Some(project));
        self.agents
            .create(context, id, &events, vec![claim], vec![], idempotency)
            .await
            .map_err(|error| error.where_taken(AgentError::NameTaken))
    }
}

/// The name claim of an agent after an event, given the claim before it.
#[must_use]
pub fn held_name(before: Option<Claim>, event: &AgentEvent) -> Option<Claim> {
    match event {
        AgentEvent::Created(it) => Some(name_claim(it.project, &it.name)),
        AgentEvent::Renamed(it) => before.map(|before| Claim { value: it.name.normalised(), ..before }),
        AgentEvent::Archived(_) => None,
        AgentEvent::VersionPublished(_)
        | AgentEvent::VersionRestored(_)
        | AgentEvent::Activated(_)
        | AgentEvent::Paused(_)
        | AgentEvent::Resumed(_)
        | AgentEvent::Described(_)
        | AgentEvent::CapabilitiesChanged(_) => before,
    }
}

/// Names are unique among a project's agents that are not archived.
pub(super) fn name_claim(project: ProjectId, name: &AgentName) -> Claim {
    Claim { scope: format!("agent.name:{project}"), value: name.normalised() }
}
