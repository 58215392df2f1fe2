use async_trait::async_trait;
use devskyy_domain::{
    agents::{AgentStatus, AgentType, VersionNumber},
    kernel::ids::AgentId,
};

use super::views::{AgentVersionSummary, AgentVersionView, AgentView};
use crate::{
    access::ListScope,
    error::PortError,
    paging::{PageOf, Part, Sort},
};

/// What agents can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AgentSort {
    /// When they came into being.
    #[default]
    CreatedAt,
    /// When they last changed; an agent that changes moves.
    UpdatedAt,
    /// Their names, letters' case aside.
    Name,
}

/// Which agents a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentFilter {
    /// Of which projects.
    pub scope: ListScope,
    /// Only those with this status.
    pub status: Option<AgentStatus>,
    /// Only those of this type.
    pub kind: Option<AgentType>,
    /// Only those with this in their name, letters' case aside.
    pub name: Option<String>,
    /// Only those that say they can do this.
    pub capability: Option<String>,
    /// In which order.
    pub sort: Sort<AgentSort>,
}

/// Answers questions about agents. Absence is an answer, not an error.
#[async_trait]
pub trait AgentViews: Send + Sync {
    /// Finds one agent, wherever it lives; who may see it is the handler's question.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn find(&self, agent: AgentId) -> Result<Option<AgentView>, PortError>;

    /// Lists agents.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn list(&self, filter: AgentFilter, part: &Part) -> Result<PageOf<AgentView>, PortError>;

    /// Lists an agent's versions, the newest first.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn versions(&self, agent: AgentId, part: &Part) -> Result<PageOf<AgentVersionSummary>, PortError>;

    /// One version with what it does.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn version(&self, agent: AgentId, number: VersionNumber) -> Result<Option<AgentVersionView>, PortError>;
}
