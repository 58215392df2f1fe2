use chrono::{DateTime, Utc};
use devskyy_domain::{
    agents::{Agent, AgentStatus, AgentType, VersionNumber},
    definition::Definition,
    kernel::{
        Version,
        ids::{AgentId, ProjectId},
    },
};

use crate::es::Recalled;

/// An agent as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentView {
    /// Its id.
    pub id: AgentId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: AgentType,
    /// Its declared capabilities.
    pub capabilities: Vec<String>,
    /// Its description.
    pub description: String,
    /// Its status.
    pub status: AgentStatus,
    /// The version runs start from; none before the first is published.
    pub current_version: Option<VersionNumber>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Its aggregate version, not the version of its definition.
    pub version: Version,
}

impl AgentView {
    /// An agent as of a moment; `None` before its creation.
    #[must_use]
    pub fn recalled(id: AgentId, was: &Recalled<Agent>) -> Option<Self> {
        let (details, status) = was.state.details().zip(was.state.status())?;
        Some(Self {
            id,
            project_id: details.project,
            name: details.name.as_str().to_owned(),
            kind: details.kind,
            capabilities: details.capabilities.as_slice().to_vec(),
            description: details.description.as_str().to_owned(),
            status,
            current_version: details.current,
            created_at: was.begun_at,
            updated_at: was.changed_at,
            version: was.version,
        })
    }
}

/// One version of an agent, in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentVersionSummary {
    /// The agent.
    pub agent_id: AgentId,
    /// Its number, from 1.
    pub number: VersionNumber,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// The publisher, as an `ActorName` (`user:<id>`).
    pub published_by: String,
}

/// One version of an agent with its definition.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentVersionView {
    /// The version.
    pub summary: AgentVersionSummary,
    /// Its definition.
    pub definition: Definition,
}
