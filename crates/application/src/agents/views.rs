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

/// An agent as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentView {
    /// Which.
    pub id: AgentId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Its name.
    pub name: String,
    /// How it works.
    pub kind: AgentType,
    /// What it says it can do.
    pub capabilities: Vec<String>,
    /// What it is for.
    pub description: String,
    /// Where it is in its life.
    pub status: AgentStatus,
    /// The version runs start from; none before the first is published.
    pub current_version: Option<VersionNumber>,
    /// When it came into being.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Its version as an aggregate, not to be mixed up with the versions of its definition.
    pub version: Version,
}

impl AgentView {
    /// An agent as its events tell of a moment; nothing before it came into being.
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
    /// Of which agent.
    pub agent_id: AgentId,
    /// Its number, from 1.
    pub number: VersionNumber,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// Who published it, as the log names actors (`user:<id>`).
    pub published_by: String,
}

/// One version of an agent with what it does.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentVersionView {
    /// Which one.
    pub summary: AgentVersionSummary,
    /// What it does.
    pub definition: Definition,
}
