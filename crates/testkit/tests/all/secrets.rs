//! Secrets in memory keep the contract, and the contract detects adapters with one flaw each.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    paging::{PageOf, Part},
    secrets::{OpenedSecrets, SecretBinding, SecretVault, SecretView, SecretViews},
};
use devskyy_domain::{
    kernel::ids::{ProjectId, SecretId, SecretValueId},
    secrets::SecretValue,
};
use devskyy_testkit::{
    contracts::secrets::SecretsUnderTest,
    fakes::{FixedSecrets, InMemoryEventStore, InMemorySecrets},
};

fn fresh() -> SecretsUnderTest {
    let store = Arc::new(InMemoryEventStore::default());
    let secrets = InMemorySecrets::following(&store);
    let opened = Arc::new(OpenedSecrets::new(secrets.clone(), secrets.clone()));
    SecretsUnderTest { store, views: secrets.clone(), vault: secrets, opened, keep: Box::new(()) }
}

async fn in_memory() -> SecretsUnderTest {
    fresh()
}

devskyy_testkit::secrets_contract!(in_memory);

/// Decrypts the last value for any caller, removes nothing, and sweeps everything or nothing.
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

/// Does not separate values, and stores none.
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

/// Shows each secret as it first saw it, of any project, the oldest first, and takes absence for a failure.
struct Indiscreet {
    honest: Arc<dyn SecretViews>,
    first: ProjectId,
    seen: Mutex<Option<SecretView>>,
}

#[async_trait]
impl SecretViews for Indiscreet {
    async fn find(&self, secret: SecretId) -> Result<Option<SecretView>, PortError> {
        let found = self.honest.find(secret).await?.map(|view| SecretView { version: 0, ..view });
        found.map(Some).ok_or_else(|| PortError::bug("secrets", "finding a secret", "there is none"))
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

fn careless(sweeps: bool) -> SecretsUnderTest {
    let honest = fresh();
    let vault = Careless { honest: honest.vault.clone(), sweeps, binding: Mutex::default() };
    SecretsUnderTest { vault: Arc::new(vault), ..honest }
}

fn forgetful() -> SecretsUnderTest {
    SecretsUnderTest { vault: Arc::new(Forgetful), ..fresh() }
}

fn indiscreet() -> SecretsUnderTest {
    let honest = fresh();
    let first = ProjectId::from(uuid::Uuid::from_u128(0xa001));
    let views = Indiscreet { honest: honest.views.clone(), first, seen: Mutex::default() };
    SecretsUnderTest { views: Arc::new(views), ..honest }
}

/// Gives all projects the same secrets.
fn indifferent() -> SecretsUnderTest {
    SecretsUnderTest { opened: Arc::new(FixedSecrets::named("key")), ..fresh() }
}

fn flawed() -> [SecretsUnderTest; 5] {
    [careless(false), careless(true), forgetful(), indiscreet(), indifferent()]
}

mod caught {
    use super::flawed;

    devskyy_testkit::secrets_contract!(broken flawed);
}
