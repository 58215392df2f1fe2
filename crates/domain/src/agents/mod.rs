//! Agents: named definitions that can be run. Their versions are immutable and numbered from 1.

mod agent;
mod error;
mod event;
mod values;

#[cfg(test)]
mod tests;

pub use agent::{Agent, AgentDetails, NewAgent};
pub use error::AgentError;
pub use event::{
    AgentActivated, AgentArchived, AgentCapabilitiesChanged, AgentCreated, AgentDescribed, AgentEvent, AgentPaused,
    AgentRenamed, AgentResumed, VersionPublished, VersionRestored, WorkflowPublished,
};
pub use values::{AgentName, AgentStatus, AgentType, Capabilities, Description, VersionNumber};
