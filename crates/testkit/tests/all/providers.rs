//! Providers in memory keep the contract, and the contract detects adapters with one flaw each.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    models::{KeyBinding, ProviderRecord, ProviderSecret, ProviderVault, ProviderViews},
    paging::{PageOf, Part},
};
use devskyy_domain::kernel::ids::{ProjectId, ProviderId, ProviderKeyId};
use devskyy_testkit::{
    contracts::providers::ProvidersUnderTest,
    fakes::{InMemoryEventStore, InMemoryProviders},
};

fn fresh() -> ProvidersUnderTest {
    let store = Arc::new(InMemoryEventStore::default());
    let providers = InMemoryProviders::following(&store);
    ProvidersUnderTest { store, views: providers.clone(), vault: providers, keep: Box::new(()) }
}

async fn in_memory() -> ProvidersUnderTest {
    fresh()
}

devskyy_testkit::providers_contract!(in_memory);

/// Decrypts any key, shows its beginning, and sweeps everything or nothing.
struct Careless {
    honest: Arc<dyn ProviderVault>,
    sweeps: bool,
    binding: Mutex<Option<KeyBinding>>,
}

#[async_trait]
impl ProviderVault for Careless {
    async fn save(&self, binding: &KeyBinding, key: &ProviderSecret, now: DateTime<Utc>) -> Result<(), PortError> {
        *self.binding.lock().unwrap_or_else(PoisonError::into_inner) = Some(binding.clone());
        self.honest.save(binding, key, now).await
    }

    async fn open(&self, _: &KeyBinding) -> Result<Option<ProviderSecret>, PortError> {
        let binding = self.binding.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match binding {
            Some(binding) => self.honest.open(&binding).await,
            None => Ok(None),
        }
    }

    async fn hint(&self, _: ProviderKeyId) -> Result<Option<String>, PortError> {
        Ok(Some("sk-proj-0123".to_owned()))
    }

    async fn remove(&self, _: ProviderKeyId) -> Result<(), PortError> {
        Ok(())
    }

    async fn sweep(&self, _: DateTime<Utc>) -> Result<u64, PortError> {
        Ok(u64::from(self.sweeps))
    }
}

/// Shows what belongs to others and what was removed.
struct Indiscreet(Arc<dyn ProviderViews>, ProjectId);

#[async_trait]
impl ProviderViews for Indiscreet {
    async fn find(&self, provider: ProviderId) -> Result<Option<ProviderRecord>, PortError> {
        self.0.find(provider).await
    }

    async fn named(&self, _: ProjectId, name: &str) -> Result<Option<ProviderRecord>, PortError> {
        self.0.named(self.1, name).await
    }

    async fn list(&self, project: ProjectId, part: &Part) -> Result<PageOf<ProviderRecord>, PortError> {
        let mut listed = self.0.list(project, part).await?;
        listed.items.reverse();
        Ok(listed)
    }
}

/// Takes absence for a failure.
struct Alarmed(Arc<dyn ProviderViews>);

impl Alarmed {
    fn told(found: Option<ProviderRecord>) -> Result<Option<ProviderRecord>, PortError> {
        found.map(Some).ok_or_else(|| PortError::bug("providers", "finding a provider", "there is none"))
    }
}

#[async_trait]
impl ProviderViews for Alarmed {
    async fn find(&self, provider: ProviderId) -> Result<Option<ProviderRecord>, PortError> {
        Self::told(self.0.find(provider).await?)
    }

    async fn named(&self, project: ProjectId, name: &str) -> Result<Option<ProviderRecord>, PortError> {
        Self::told(self.0.named(project, name).await?)
    }

    async fn list(&self, project: ProjectId, part: &Part) -> Result<PageOf<ProviderRecord>, PortError> {
        self.0.list(project, part).await
    }
}

/// Stores nothing.
struct Mute;

#[async_trait]
impl ProviderVault for Mute {
    async fn save(&self, _: &KeyBinding, _: &ProviderSecret, _: DateTime<Utc>) -> Result<(), PortError> {
        Ok(())
    }

    async fn open(&self, _: &KeyBinding) -> Result<Option<ProviderSecret>, PortError> {
        Ok(None)
    }

    async fn hint(&self, _: ProviderKeyId) -> Result<Option<String>, PortError> {
        Ok(None)
    }

    async fn remove(&self, _: ProviderKeyId) -> Result<(), PortError> {
        Ok(())
    }

    async fn sweep(&self, _: DateTime<Utc>) -> Result<u64, PortError> {
        Ok(0)
    }
}

fn careless(sweeps: bool) -> ProvidersUnderTest {
    let honest = fresh();
    let vault = Careless { honest: honest.vault.clone(), sweeps, binding: Mutex::default() };
    ProvidersUnderTest { vault: Arc::new(vault), ..honest }
}

fn indiscreet() -> ProvidersUnderTest {
    let honest = fresh();
    let first = ProjectId::from(uuid::Uuid::from_u128(0xa001));
    ProvidersUnderTest { views: Arc::new(Indiscreet(honest.views.clone(), first)), ..honest }
}

/// Reads a log without writers, and decrypts nothing.
fn elsewhere() -> ProvidersUnderTest {
    ProvidersUnderTest { store: fresh().store, vault: Arc::new(Mute), ..fresh() }
}

fn alarmed() -> ProvidersUnderTest {
    let honest = fresh();
    ProvidersUnderTest { views: Arc::new(Alarmed(honest.views.clone())), ..honest }
}

fn flawed() -> [ProvidersUnderTest; 5] {
    [careless(false), careless(true), indiscreet(), elsewhere(), alarmed()]
}

mod caught {
    use super::flawed;

    devskyy_testkit::providers_contract!(broken flawed);
}
