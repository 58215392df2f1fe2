//! What a project stores encrypted: keys of its providers, and secrets of its tools.

use std::sync::Arc;

use devskyy_application::{
    access::Access,
    es::EventStore,
    models::{Providers, ProvidersPorts},
    ports::{Clock, IdGenerator},
    secrets::{OpenedSecrets, ProjectSecrets, ProjectSecretsPorts},
};
use devskyy_testkit::fakes::{Fingerprint, FixedProbe, InMemoryEventStore, InMemoryProviders, InMemorySecrets};

/// What the stores are built on.
pub(crate) struct Kept<'a> {
    pub(crate) store: &'a Arc<InMemoryEventStore>,
    pub(crate) log: &'a Arc<dyn EventStore>,
    pub(crate) access: &'a Access,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
}

impl Kept<'_> {
    pub(crate) fn providers(&self) -> (Providers, Arc<dyn Fingerprint>) {
        let kept = InMemoryProviders::following(self.store);
        let providers = Providers::new(ProvidersPorts {
            store: self.log.clone(),
            views: kept.clone(),
            vault: kept.clone(),
            probe: Arc::new(FixedProbe),
            access: self.access.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        });
        (providers, kept)
    }

    pub(crate) fn secrets(&self) -> (ProjectSecrets, Arc<OpenedSecrets>, Arc<dyn Fingerprint>) {
        let kept = InMemorySecrets::following(self.store);
        let opened = OpenedSecrets::new(kept.clone(), kept.clone());
        let secrets = ProjectSecrets::new(ProjectSecretsPorts {
            store: self.log.clone(),
            views: kept.clone(),
            vault: kept.clone(),
            access: self.access.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        });
        (secrets, Arc::new(opened), kept)
    }
}
