//! Wiring of API keys.

use std::{sync::Arc, time::Duration};

use devskyy_application::identity::{ApiKeys, ApiKeysPorts, TokenMint};
use devskyy_infrastructure::identity::{CachedKeyStandings, SqlApiKeys, SqlKeyUses, SqlKeyVault};

use super::Ground;
use crate::{failure::causes, tasks::Tasks};

/// Maximum delay of writing a key's last use.
const LATE: Duration = Duration::from_secs(10);

/// The last uses of keys, written periodically.
pub(super) struct Uses(Arc<SqlKeyUses>);

pub(super) fn keys(ground: &Ground, mint: Arc<dyn TokenMint>) -> (ApiKeys, Uses) {
    let Ground { database, clock, ids, access, .. } = ground.clone();
    let views = Arc::new(SqlApiKeys::new(database.clone()));
    let uses = Arc::new(SqlKeyUses::new(database.clone()));
    let keys = ApiKeys::new(ApiKeysPorts {
        store: ground.audited(),
        standings: Arc::new(CachedKeyStandings::new(views.clone())),
        views,
        vault: Arc::new(SqlKeyVault::new(database)),
        uses: uses.clone(),
        mint,
        access,
        clock,
        ids,
    });
    (keys, Uses(uses))
}

impl Uses {
    /// Writes uses for as long as the server runs.
    pub(super) fn start(&self, tasks: &Tasks) {
        let uses = self.0.clone();
        tasks.every("api_keys.uses", LATE, move || {
            let uses = uses.clone();
            async move { uses.flush().await }
        });
    }

    /// Writes the remaining uses.
    pub(super) async fn settle(&self) {
        if let Err(error) = self.0.flush().await {
            tracing::warn!(error = causes(&error), "the last uses of some API keys are lost");
        }
    }
}
