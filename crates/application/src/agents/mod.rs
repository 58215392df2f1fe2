//! Agents and their versions.

mod agent_history;
mod create_agent;
mod definition;
mod get_agent;
mod get_version;
mod lifecycle;
mod list_agents;
mod list_versions;
mod ports;
mod publish_version;
mod published;
mod update_agent;
mod views;

use std::sync::Arc;

pub use agent_history::{AgentHistory, AgentHistoryHandler};
pub use create_agent::{CreateAgent, CreateAgentHandler, held_name};
pub use definition::Definitions;
use devskyy_domain::agents::Agent;
pub use get_agent::{GetAgent, GetAgentHandler};
pub use get_version::{GetVersion, GetVersionHandler};
pub use lifecycle::{
    ActivateAgentHandler, ArchiveAgentHandler, ChangeLifecycle, PauseAgentHandler, ResumeAgentHandler,
};
pub use list_agents::{ListAgents, ListAgentsHandler};
pub use list_versions::{ListVersions, ListVersionsHandler};
pub use ports::{AgentFilter, AgentSort, AgentViews};
pub use publish_version::{PublishVersion, PublishVersionHandler};
pub use update_agent::{UpdateAgent, UpdateAgentHandler};
pub use views::{AgentVersionSummary, AgentVersionView, AgentView};

use crate::{
    access::Access,
    es::{EventStore, Repository},
    models::ConfiguredModels,
    models::ModelPrices,
    ports::IdGenerator,
    workflow::{DefinitionCheck, ToolDescriptions, ToolSecrets},
};

/// The ports of the context.
#[derive(Clone)]
pub struct AgentsPorts {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Agents, derived from the log.
    pub views: Arc<dyn AgentViews>,
    /// Access rules.
    pub access: Access,
    /// Validates definitions.
    pub check: DefinitionCheck,
    /// The models available to a project.
    pub models: Arc<dyn ConfiguredModels>,
    /// The prices of models.
    pub prices: Arc<dyn ModelPrices>,
    /// The secrets of a project.
    pub secrets: Arc<dyn ToolSecrets>,
    /// Fetches tool descriptions from servers.
    pub descriptions: Arc<dyn ToolDescriptions>,
    /// Generates ids.
    pub ids: Arc<dyn IdGenerator>,
}

/// The use cases of the context.
pub struct Agents {
    /// Creates an agent.
    pub create: CreateAgentHandler,
    /// Returns one agent.
    pub get: GetAgentHandler,
    /// Returns the history of an agent.
    pub history: AgentHistoryHandler,
    /// Lists the agents one may see.
    pub list: ListAgentsHandler,
    /// Changes name, description or capabilities.
    pub update: UpdateAgentHandler,
    /// Activates an agent.
    pub activate: ActivateAgentHandler,
    /// Pauses an agent.
    pub pause: PauseAgentHandler,
    /// Resumes a paused agent.
    pub resume: ResumeAgentHandler,
    /// Archives an agent for good.
    pub archive: ArchiveAgentHandler,
    /// Publishes a version.
    pub publish_version: PublishVersionHandler,
    /// Lists an agent's versions.
    pub list_versions: ListVersionsHandler,
    /// Returns one version with its definition.
    pub get_version: GetVersionHandler,
}

impl Agents {
    /// Creates the context from its ports.
    #[must_use]
    pub fn new(ports: AgentsPorts) -> Self {
        let AgentsPorts { store, views, access, check, models, prices, secrets, descriptions, ids } = ports;
        let agents = Repository::<Agent>::new(store);
        let definitions = Definitions::new(check, views.clone(), models, prices, secrets, descriptions);
        let get = GetAgentHandler { agents: agents.clone(), views, access };
        Self {
            create: CreateAgentHandler {
                agents: agents.clone(),
                get: get.clone(),
                definitions: definitions.clone(),
                ids,
            },
            history: AgentHistoryHandler { agents: agents.clone(), get: get.clone() },
            list: ListAgentsHandler { views: get.views.clone(), access: get.access.clone() },
            update: UpdateAgentHandler { agents: agents.clone(), get: get.clone() },
            activate: ActivateAgentHandler {
                agents: agents.clone(),
                get: get.clone(),
                definitions: definitions.clone(),
            },
            pause: PauseAgentHandler { agents: agents.clone(), get: get.clone(), definitions: definitions.clone() },
            resume: ResumeAgentHandler { agents: agents.clone(), get: get.clone(), definitions: definitions.clone() },
            archive: ArchiveAgentHandler { agents: agents.clone(), get: get.clone(), definitions: definitions.clone() },
            publish_version: PublishVersionHandler { agents, get: get.clone(), definitions },
            list_versions: ListVersionsHandler { get: get.clone() },
            get_version: GetVersionHandler { get: get.clone() },
            get,
        }
    }
}
