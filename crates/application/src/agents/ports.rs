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

/// Sort keys of agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AgentSort {
    /// Creation time.
    #[default]
    CreatedAt,
    /// Time of the last change, so the order changes with it.
    UpdatedAt,
    /// The name, ignoring case.
    Name,
}

/// A filter of agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentFilter {
    /// The visible projects.
    pub scope: ListScope,
    /// Only those with this status.
    pub status: Option<AgentStatus>,
    /// Only those of this type.
    pub kind: Option<AgentType>,
    /// Only those whose name contains this text, ignoring case.
    pub name: Option<String>,
    /// Only those that declare this capability.
    pub capability: Option<String>,
    /// The sort order.
    pub sort: Sort<AgentSort>,
}

/// Reads agents. A missing agent is `None`, not an error.
#[async_trait]
pub trait AgentViews: Send + Sync {
    /// Finds an agent in any project; the handler checks who may see it.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn find(&self, agent: AgentId) -> Result<Option<AgentView>, PortError>;

    /// Lists agents.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn list(&self, filter: AgentFilter, part: &Part) -> Result<PageOf<AgentView>, PortError>;

    /// Lists an agent's versions, newest first.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn versions(&self, agent: AgentId, part: &Part) -> Result<PageOf<AgentVersionSummary>, PortError>;

    /// One version with its definition.
    ///
    /// # Errors
    /// [`PortError`] when the lookup fails.
    async fn version(&self, agent: AgentId, number: VersionNumber) -> Result<Option<AgentVersionView>, PortError>;
}
