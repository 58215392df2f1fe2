//! Wiring of agents.

use std::sync::Arc;

use devskyy_application::{
    agents::{AgentViews, Agents, AgentsPorts},
    models::RoutedModels,
    workflow::{DefinitionCheck, ToolSecrets},
};
use devskyy_infrastructure::{agents::SqlAgents, tools::Tools};

use super::Ground;

/// The use cases of agents, and their views.
pub(super) fn agents(
    ground: &Ground,
    models: Arc<RoutedModels>,
    secrets: Arc<dyn ToolSecrets>,
    tools: Arc<Tools>,
) -> (Agents, Arc<dyn AgentViews>) {
    let Ground { database, ids, expressions, schemas, egress, access, .. } = ground.clone();
    let views: Arc<dyn AgentViews> = Arc::new(SqlAgents::new(database));
    let agents = Agents::new(AgentsPorts {
        store: ground.audited(),
        views: views.clone(),
        access,
        check: DefinitionCheck::new(expressions, schemas, Arc::new(egress)),
        models: models.clone(),
        prices: models,
        secrets,
        descriptions: tools,
        ids,
    });
    (agents, views)
}
