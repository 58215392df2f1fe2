use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use devskyy_application::{
    agents::AgentViews,
    error::PortError,
    runs::{RunnableAgent, RunnableAgents},
};
use devskyy_domain::{agents::AgentStatus, definition::Definition, kernel::ids::AgentId};

/// Most versions that are kept in memory.
const KEPT: usize = 256;

/// What agents do, as their own views tell; versions never change, so the recent ones are kept in memory.
pub struct AgentsForRuns {
    views: Arc<dyn AgentViews>,
    kept: Mutex<HashMap<(AgentId, u32), Arc<Definition>>>,
}

impl AgentsForRuns {
    /// Agents as these views tell.
    #[must_use]
    pub fn new(views: Arc<dyn AgentViews>) -> Self {
        Self { views, kept: Mutex::default() }
    }

    fn kept(&self, key: (AgentId, u32)) -> Option<Arc<Definition>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    fn keep(&self, key: (AgentId, u32), definition: &Arc<Definition>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Forgetting all at once is rare and costs one read each: cheaper than remembering which was used last.
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, Arc::clone(definition));
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
        if let Some(definition) = self.kept((agent, version)) {
            return Ok(Some(definition));
        }
        let found = self.views.version(agent, version).await?;
        let definition = found.map(|found| Arc::new(found.definition));
        if let Some(definition) = &definition {
            self.keep((agent, version), definition);
        }
        Ok(definition)
    }
}
