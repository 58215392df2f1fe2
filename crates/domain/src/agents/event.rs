use serde::{Deserialize, Serialize};

use super::values::{AgentName, AgentType, Capabilities, Description, VersionNumber};
use crate::{
    definition::Definition,
    kernel::{FirstVersion, Versioned, ids::ProjectId},
    workflow::Workflow,
};

/// An agent came into being as a draft.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentCreated {
    /// The project it belongs to, for ever.
    pub project: ProjectId,
    /// Its name.
    pub name: AgentName,
    /// How it works.
    #[serde(rename = "type")]
    pub kind: AgentType,
    /// What it says it can do.
    pub capabilities: Capabilities,
    /// What it is for.
    pub description: Description,
}

/// A new, immutable version is what runs start from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionPublished {
    /// Its number, one above the newest before.
    pub number: VersionNumber,
    /// What it does.
    pub definition: Definition,
}

/// As it was when all agents were workflows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkflowPublished {
    /// Its number.
    pub number: VersionNumber,
    /// What it does.
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

/// An earlier version is what runs start from now on, because the same content was published again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionRestored {
    /// Its number.
    pub number: VersionNumber,
}

/// The agent may be run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentActivated {}

/// The agent starts no runs for now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentPaused {}

/// The agent may be run again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentResumed {}

/// The agent is kept for history only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentArchived {}

/// The agent goes by another name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentRenamed {
    /// Its new name.
    pub name: AgentName,
}

/// The agent is described in other words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentDescribed {
    /// Its new description.
    pub description: Description,
}

/// The agent says it can do other things.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentCapabilitiesChanged {
    /// What it can do from now on.
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
        /// It came into being as a draft.
        Created(AgentCreated),
        /// A new version is what runs start from now on.
        VersionPublished(VersionPublished),
        /// An earlier version is what runs start from now on.
        VersionRestored(VersionRestored),
        /// It may be run.
        Activated(AgentActivated),
        /// It starts no runs for now.
        Paused(AgentPaused),
        /// It may be run again.
        Resumed(AgentResumed),
        /// It is kept for history only.
        Archived(AgentArchived),
        /// It goes by another name.
        Renamed(AgentRenamed),
        /// It is described in other words.
        Described(AgentDescribed),
        /// It says it can do other things.
        CapabilitiesChanged(AgentCapabilitiesChanged),
    }
}
