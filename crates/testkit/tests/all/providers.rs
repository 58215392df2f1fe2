//! Providers in memory keep every promise, and the contract catches keepers with one flaw each.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    models::{KeyBinding, ProviderRecord, ProviderSecret, ProviderVault, ProviderViews},
    paging::{PageOf, Part},
};
use devskyy_domain::kernel::ids::{ProjectId, ProviderId, ProviderKeyId};
use devskyy_testkit::{
    contracts::providers::{ProvidersUnderTest, keys, views},
    fakes::{InMemoryEventStore, InMemoryProviders},
};
use futures_util::FutureExt;

async fn in_memory() -> ProvidersUnderTest {
    let store = Arc::new(InMemoryEventStore::default());
    let providers = InMemoryProviders::following(&store);
    ProvidersUnderTest { store, views: providers.clone(), vault: providers, keep: Box::new(()) }
}

devskyy_testkit::providers_contract!(in_memory);

/// Opens a key for whoever asks, shows the start of it, and sweeps everything or nothing.
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

/// Shows what belongs to others and what is gone.
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

async fn caught(broken: impl Future<Output = ()>) -> bool {
    AssertUnwindSafe(broken).catch_unwind().await.is_err()
}

async fn careless(sweeps: bool) -> ProvidersUnderTest {
    let honest = in_memory().await;
    let vault = Careless { honest: honest.vault.clone(), sweeps, binding: Mutex::default() };
    ProvidersUnderTest { vault: Arc::new(vault), ..honest }
}

async fn indiscreet() -> ProvidersUnderTest {
    let honest = in_memory().await;
    let first = ProjectId::from(uuid::Uuid::from_u128(0xa001));
    ProvidersUnderTest { views: Arc::new(Indiscreet(honest.views.clone(), first)), ..honest }
}

#[tokio::test]
async fn a_vault_that_opens_for_another_address_is_caught() {
    assert!(caught(keys::a_key_does_not_open_for_another_address(&careless(false).await)).await);
}

#[tokio::test]
async fn a_vault_that_opens_for_another_provider_is_caught() {
    assert!(caught(keys::a_key_does_not_open_for_another_provider(&careless(false).await)).await);
}

#[tokio::test]
async fn a_vault_that_shows_too_much_is_caught() {
    assert!(caught(keys::a_key_is_recognised_by_its_end(&careless(false).await)).await);
}

#[tokio::test]
async fn a_vault_that_keeps_what_was_removed_is_caught() {
    assert!(caught(keys::a_removed_key_is_gone(&careless(false).await)).await);
}

#[tokio::test]
async fn a_vault_that_sweeps_what_is_held_is_caught() {
    assert!(caught(keys::a_sweep_spares_keys_that_are_held(&careless(true).await)).await);
}

#[tokio::test]
async fn a_vault_that_sweeps_too_early_is_caught() {
    assert!(caught(keys::a_sweep_spares_keys_handed_over_lately(&careless(true).await)).await);
}

#[tokio::test]
async fn a_vault_that_never_sweeps_is_caught() {
    assert!(caught(keys::a_sweep_removes_keys_nobody_refers_to(&careless(false).await)).await);
}

#[tokio::test]
async fn a_view_of_other_projects_is_caught() {
    assert!(caught(views::a_provider_is_found_by_name_in_its_project_only(&indiscreet().await)).await);
}

#[tokio::test]
async fn a_list_in_the_wrong_order_is_caught() {
    assert!(caught(views::a_list_shows_the_newest_first_and_no_other_projects(&indiscreet().await)).await);
}
