use serde::{Deserialize, Serialize};

use super::values::{AgentName, AgentType, Capabilities, Description, VersionNumber};
use crate::{
    definition::Definition,
    kernel::{FirstVersion, Versioned, ids::ProjectId},
    workflow::Workflow,
};

/// An agent was created as a draft.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentCreated {
    /// The project it belongs to; never changes.
    pub project: ProjectId,
    /// Its name.
    pub name: AgentName,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: AgentType,
    /// Its declared capabilities.
    pub capabilities: Capabilities,
    /// Its description.
    pub description: Description,
}

/// A new, immutable version was published; new runs use it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionPublished {
    /// Its number, one above the previous highest.
    pub number: VersionNumber,
    /// Its definition.
    pub definition: Definition,
}

/// Version 1: all agents were workflows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkflowPublished {
    /// Its number.
    pub number: VersionNumber,
    /// Its definition.
    pub definition: Workflow,
}

impl Versioned for WorkflowPublished {
    const TYPE: &'static str = "agent.version_published";
    const VERSION: u16 = 1;
    type Previous = FirstVersion;

    fn upcast(previous: FirstVersion) -> Self {
        match previous {}
    }
}

impl Versioned for VersionPublished {
    const TYPE: &'static str = "agent.version_published";
    const VERSION: u16 = 2;
    type Previous = WorkflowPublished;

    fn upcast(previous: WorkflowPublished) -> Self {
        Self { number: previous.number, definition: previous.definition.into() }
    }
}

/// New runs use an earlier version again, because the same content was published again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionRestored {
    /// Its number.
    pub number: VersionNumber,
}

/// The agent was activated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentActivated {}

/// The agent was paused: it starts no new runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentPaused {}

/// The agent was resumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentResumed {}

/// The agent was archived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentArchived {}

/// The agent was renamed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentRenamed {
    /// Its new name.
    pub name: AgentName,
}

/// The agent's description was changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentDescribed {
    /// Its new description.
    pub description: Description,
}

/// The agent's declared capabilities were changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentCapabilitiesChanged {
    /// Its new capabilities.
    pub capabilities: Capabilities,
}

crate::first_version! {
    AgentCreated = "agent.created",
    VersionRestored = "agent.version_restored",
    AgentActivated = "agent.activated",
    AgentPaused = "agent.paused",
    AgentResumed = "agent.resumed",
    AgentArchived = "agent.archived",
    AgentRenamed = "agent.renamed",
    AgentDescribed = "agent.described",
    AgentCapabilitiesChanged = "agent.capabilities_changed",
}

crate::event_set! {
    /// What can happen to an agent.
    pub enum AgentEvent {
        /// It was created as a draft.
        Created(AgentCreated),
        /// A new version was published.
        VersionPublished(VersionPublished),
        /// An earlier version was published again.
        VersionRestored(VersionRestored),
        /// It was activated.
        Activated(AgentActivated),
        /// It was paused.
        Paused(AgentPaused),
        /// It was resumed.
        Resumed(AgentResumed),
        /// It was archived.
        Archived(AgentArchived),
        /// It was renamed.
        Renamed(AgentRenamed),
        /// Its description was changed.
        Described(AgentDescribed),
        /// Its declared capabilities were changed.
        CapabilitiesChanged(AgentCapabilitiesChanged),
    }
}
