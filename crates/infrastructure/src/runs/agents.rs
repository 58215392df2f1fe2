use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use devskyy_application::{
    agents::AgentViews,
    error::PortError,
    es::EventStore,
    runs::{RunnableAgent, RunnableAgents},
};
use devskyy_domain::{agents::AgentStatus, definition::Definition, kernel::ids::AgentId};

use crate::bounded_cache::BoundedCache;

/// Maximum number of versions kept in memory.
const KEPT: usize = 256;

/// Agents' definitions, read from their views. Versions never change, so recent ones are cached. If the log is rewound,
/// their numbers may be published again with other content, so the cache is cleared.
pub struct AgentsForRuns {
    views: Arc<dyn AgentViews>,
    log: Arc<dyn EventStore>,
    kept: Mutex<Kept>,
}

struct Kept {
    versions: BoundedCache<(AgentId, u32), Arc<Definition>>,
    /// Number of rewinds of the log when the versions were read.
    rewinds: u64,
}

impl AgentsForRuns {
    /// Creates it from these views of that log.
    #[must_use]
    pub fn new(views: Arc<dyn AgentViews>, log: Arc<dyn EventStore>) -> Self {
        Self { views, log, kept: Mutex::new(Kept { versions: BoundedCache::of(KEPT), rewinds: 0 }) }
    }

    /// The cache for the log after this many rewinds.
    fn kept(&self, rewinds: u64) -> MutexGuard<'_, Kept> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.rewinds < rewinds {
            kept.versions.clear();
            kept.rewinds = rewinds;
        }
        kept
    }

    fn keep(&self, key: (AgentId, u32), definition: &Arc<Definition>, rewinds: u64) {
        let mut kept = self.kept(rewinds);
        if kept.rewinds == rewinds {
            kept.versions.insert(key, Arc::clone(definition));
        }
    }
}

#[async_trait]
impl RunnableAgents for AgentsForRuns {
    async fn find(&self, agent: AgentId) -> Result<Option<RunnableAgent>, PortError> {
        let Some(view) = self.views.find(agent).await? else { return Ok(None) };
        let current = match (view.status, view.current_version) {
            (AgentStatus::Active, Some(version)) => {
                self.definition(agent, version).await?.map(|definition| (version, definition))
            }
            _ => None,
        };
        Ok(Some(RunnableAgent { project: view.project_id, current }))
    }

    async fn definition(&self, agent: AgentId, version: u32) -> Result<Option<Arc<Definition>>, PortError> {
        let rewinds = self.log.rewinds();
        if let Some(definition) = self.kept(rewinds).versions.get(&(agent, version)) {
            return Ok(Some(Arc::clone(definition)));
        }
        let found = self.views.version(agent, version).await?;
        let definition = found.map(|found| Arc::new(found.definition));
        if let Some(definition) = &definition {
            self.keep((agent, version), definition, rewinds);
        }
        Ok(definition)
    }
}
