//! Secrets in memory keep every promise, and the contract catches keepers with one flaw each.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    paging::{PageOf, Part},
    secrets::{SecretBinding, SecretVault, SecretView, SecretViews},
};
use devskyy_domain::{
    kernel::ids::{ProjectId, SecretId, SecretValueId},
    secrets::SecretValue,
};
use devskyy_testkit::{
    contracts::secrets::{SecretsUnderTest, values, views},
    fakes::{InMemoryEventStore, InMemorySecrets},
};
use futures_util::FutureExt;

async fn in_memory() -> SecretsUnderTest {
    let store = Arc::new(InMemoryEventStore::default());
    let secrets = InMemorySecrets::following(&store);
    SecretsUnderTest { store, views: secrets.clone(), vault: secrets, keep: Box::new(()) }
}

devskyy_testkit::secrets_contract!(in_memory);

/// Opens the last value for whoever asks, removes nothing, and sweeps everything or nothing.
struct Careless {
    honest: Arc<dyn SecretVault>,
    sweeps: bool,
    binding: Mutex<Option<SecretBinding>>,
}

#[async_trait]
impl SecretVault for Careless {
    async fn save(&self, binding: &SecretBinding, value: &SecretValue, now: DateTime<Utc>) -> Result<(), PortError> {
        *self.binding.lock().unwrap_or_else(PoisonError::into_inner) = Some(binding.clone());
        self.honest.save(binding, value, now).await
    }

    async fn open(&self, _: &SecretBinding) -> Result<Option<SecretValue>, PortError> {
        let binding = self.binding.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match binding {
            Some(binding) => self.honest.open(&binding).await,
            None => Ok(None),
        }
    }

    async fn remove(&self, _: SecretValueId) -> Result<(), PortError> {
        Ok(())
    }

    async fn sweep(&self, _: DateTime<Utc>) -> Result<u64, PortError> {
        Ok(u64::from(self.sweeps))
    }
}

/// Keeps no values apart from each other's, and keeps none.
struct Forgetful;

#[async_trait]
impl SecretVault for Forgetful {
    async fn save(&self, _: &SecretBinding, _: &SecretValue, _: DateTime<Utc>) -> Result<(), PortError> {
        Ok(())
    }

    async fn open(&self, _: &SecretBinding) -> Result<Option<SecretValue>, PortError> {
        Ok(None)
    }

    async fn remove(&self, _: SecretValueId) -> Result<(), PortError> {
        Ok(())
    }

    async fn sweep(&self, _: DateTime<Utc>) -> Result<u64, PortError> {
        Ok(0)
    }
}

/// Shows each secret as it first saw it, of whatever project, the oldest first, and what is gone for ever.
struct Indiscreet {
    honest: Arc<dyn SecretViews>,
    first: ProjectId,
    seen: Mutex<Option<SecretView>>,
}

#[async_trait]
impl SecretViews for Indiscreet {
    async fn find(&self, secret: SecretId) -> Result<Option<SecretView>, PortError> {
        Ok(self.honest.find(secret).await?.map(|view| SecretView { version: 0, ..view }))
    }

    async fn named(&self, _: ProjectId, name: &str) -> Result<Option<SecretView>, PortError> {
        let found = self.honest.named(self.first, name).await?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_none() {
            *seen = found.map(|view| SecretView { value: uuid::Uuid::nil().into(), ..view });
        }
        Ok(seen.clone())
    }

    async fn list(&self, project: ProjectId, part: &Part) -> Result<PageOf<SecretView>, PortError> {
        let mut listed = self.honest.list(project, part).await?;
        listed.items.reverse();
        Ok(listed)
    }
}

async fn caught(broken: impl Future<Output = ()>) -> bool {
    AssertUnwindSafe(broken).catch_unwind().await.is_err()
}

async fn careless(sweeps: bool) -> SecretsUnderTest {
    let honest = in_memory().await;
    let vault = Careless { honest: honest.vault.clone(), sweeps, binding: Mutex::default() };
    SecretsUnderTest { vault: Arc::new(vault), ..honest }
}

async fn forgetful() -> SecretsUnderTest {
    SecretsUnderTest { vault: Arc::new(Forgetful), ..in_memory().await }
}

async fn indiscreet() -> SecretsUnderTest {
    let honest = in_memory().await;
    let first = ProjectId::from(uuid::Uuid::from_u128(0xa001));
    let views = Indiscreet { honest: honest.views.clone(), first, seen: Mutex::default() };
    SecretsUnderTest { views: Arc::new(views), ..honest }
}

/// Keeps showing a secret that was removed.
async fn clinging() -> SecretsUnderTest {
    let it = indiscreet().await;
    it.given(9, 1, "key").await;
    it.views.named(ProjectId::from(uuid::Uuid::from_u128(0xa001)), "key").await.unwrap();
    it.decide(9, devskyy_domain::secrets::Secret::remove).await;
    it
}

macro_rules! caught {
    ($($name:ident: $promise:path, $culprit:expr;)+) => {$(
        #[tokio::test]
        async fn $name() {
            assert!(caught($promise(&$culprit.await)).await);
        }
    )+};
}

caught! {
    a_vault_that_keeps_nothing_is_caught: values::a_value_opens_for_what_it_was_handed_over, forgetful();
    a_vault_that_opens_for_another_host_is_caught: values::a_value_does_not_open_for_another_host, careless(false);
    a_vault_that_opens_for_another_secret_is_caught: values::a_value_does_not_open_for_another_secret, careless(false);
    a_vault_that_keeps_what_was_removed_is_caught: values::a_removed_value_is_gone, careless(false);
    a_vault_that_sweeps_what_is_held_is_caught: values::a_sweep_spares_values_that_are_held, careless(true);
    a_vault_that_sweeps_too_early_is_caught: values::a_sweep_spares_values_handed_over_lately, careless(true);
    a_vault_that_never_sweeps_is_caught: values::a_sweep_removes_values_nobody_refers_to, careless(false);
    a_view_of_another_version_is_caught: views::a_new_secret_shows_what_it_was_made_of, indiscreet();
    a_view_of_an_old_value_is_caught: views::a_replaced_secret_shows_its_new_value_and_hosts, indiscreet();
    a_view_of_other_projects_is_caught: views::a_secret_is_found_by_name_in_its_project_only, indiscreet();
    a_view_of_what_is_gone_is_caught: views::a_removed_secret_is_absent, clinging();
    a_list_in_the_wrong_order_is_caught: views::a_list_shows_the_newest_first_and_no_other_projects, indiscreet();
}
