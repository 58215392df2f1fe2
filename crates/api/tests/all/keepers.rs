//! What a project keeps sealed: keys of its providers, and secrets of its tools.

use std::sync::Arc;

use devskyy_application::{
    access::Access,
    es::EventStore,
    models::{Providers, ProvidersPorts},
    ports::{Clock, IdGenerator},
    secrets::{OpenedSecrets, ProjectSecrets, ProjectSecretsPorts},
};
use devskyy_testkit::fakes::{FixedProbe, InMemoryEventStore, InMemoryProviders, InMemorySecrets};

/// On what keepers stand.
pub(crate) struct Kept<'a> {
    pub(crate) store: &'a Arc<InMemoryEventStore>,
    pub(crate) log: &'a Arc<dyn EventStore>,
    pub(crate) access: &'a Access,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
}

impl Kept<'_> {
    pub(crate) fn providers(&self) -> Providers {
        let kept = InMemoryProviders::following(self.store);
        Providers::new(ProvidersPorts {
            store: self.log.clone(),
            views: kept.clone(),
            vault: kept,
            probe: Arc::new(FixedProbe),
            access: self.access.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        })
    }

    pub(crate) fn secrets(&self) -> (ProjectSecrets, Arc<OpenedSecrets>) {
        let kept = InMemorySecrets::following(self.store);
        let opened = OpenedSecrets::new(kept.clone(), kept.clone());
        let secrets = ProjectSecrets::new(ProjectSecretsPorts {
            store: self.log.clone(),
            views: kept.clone(),
            vault: kept,
            access: self.access.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        });
        (secrets, Arc::new(opened))
    }
}
