//! Wiring of the secrets of projects' tools.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use devskyy_application::{
    ports::Clock,
    secrets::{OpenedSecrets, ProjectSecrets, ProjectSecretsPorts, SecretVault},
    workflow::ToolSecrets,
};
use devskyy_infrastructure::{
    crypto::MasterKey,
    secrets::{SqlSecretVault, SqlSecrets},
};

use super::Ground;
use crate::tasks::Tasks;

/// Pause between two sweeps of values.
const PAUSE: Duration = Duration::from_secs(3_600);
/// Age in hours after which no event can refer to an unreferenced value any more.
const HOURS: i64 = 1;

/// Secrets for people and for tools.
#[derive(Clone)]
pub(super) struct Wired {
    /// The use cases of secrets.
    pub(super) kept: Arc<ProjectSecrets>,
    /// The secrets that tools insert.
    pub(super) opened: Arc<dyn ToolSecrets>,
    vault: Arc<dyn SecretVault>,
    clock: Arc<dyn Clock>,
}

pub(super) fn secrets(ground: &Ground, master: MasterKey) -> Wired {
    let Ground { database, clock, ids, access, .. } = ground.clone();
    let views = Arc::new(SqlSecrets::new(database.clone()));
    let vault: Arc<dyn SecretVault> = Arc::new(SqlSecretVault::new(database, master));
    let opened = Arc::new(OpenedSecrets::new(views.clone(), vault.clone()));
    let store = ground.audited();
    let ports = ProjectSecretsPorts { store, views, vault: vault.clone(), access, clock: clock.clone(), ids };
    Wired { kept: Arc::new(ProjectSecrets::new(ports)), opened, vault, clock }
}

impl Wired {
    /// Deletes unreferenced values, for as long as the server runs.
    pub(super) fn start(&self, tasks: &Tasks) {
        let (vault, clock) = (self.vault.clone(), self.clock.clone());
        tasks.every("secret values", PAUSE, move || {
            let (vault, before) = (vault.clone(), clock.now() - TimeDelta::hours(HOURS));
            async move { vault.sweep(before).await.map(|_| ()) }
        });
    }
}
