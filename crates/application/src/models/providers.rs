//! The use cases of a project's providers.

use std::sync::Arc;

use devskyy_domain::{
    kernel::{
        Refusal as _,
        ids::{ProjectId, ProviderId, ProviderKeyId},
    },
    models::{HeldKey, Provider, ProviderError, ProviderEvent},
};

use super::{
    add_provider::AddProviderHandler,
    change_provider::ChangeProviderHandler,
    get_provider::GetProviderHandler,
    list_providers::ListProvidersHandler,
    provider_ports::{KeyBinding, ProviderProbe, ProviderSecret, ProviderVault, ProviderViews},
    provider_views::{ProviderRecord, ProviderView},
    remove_provider::RemoveProviderHandler,
    test_provider::TestProviderHandler,
};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    es::{Claim, EventStore, Repository},
    ports::{Clock, IdGenerator},
};

/// The ports of providers.
#[derive(Clone)]
pub struct ProvidersPorts {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Providers, derived from the log.
    pub views: Arc<dyn ProviderViews>,
    /// Their keys.
    pub vault: Arc<dyn ProviderVault>,
    /// Connects to them.
    pub probe: Arc<dyn ProviderProbe>,
    /// Access rules.
    pub access: Access,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Generates ids.
    pub ids: Arc<dyn IdGenerator>,
}

/// The use cases of a project's providers.
pub struct Providers {
    /// Adds a provider.
    pub add: AddProviderHandler,
    /// Lists providers.
    pub list: ListProvidersHandler,
    /// Returns a provider.
    pub get: GetProviderHandler,
    /// Changes a provider, including its key.
    pub change: ChangeProviderHandler,
    /// Removes a provider.
    pub remove: RemoveProviderHandler,
    /// Tests a provider.
    pub test: TestProviderHandler,
}

impl Providers {
    /// Creates the use cases from their ports.
    #[must_use]
    pub fn new(ports: ProvidersPorts) -> Self {
        let desk = Desk { providers: Repository::new(ports.store.clone()), ports };
        Self {
            add: AddProviderHandler(desk.clone()),
            list: ListProvidersHandler(desk.clone()),
            get: GetProviderHandler(desk.clone()),
            change: ChangeProviderHandler(desk.clone()),
            remove: RemoveProviderHandler(desk.clone()),
            test: TestProviderHandler(desk),
        }
    }
}

/// Looks up providers and stores their keys.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) providers: Repository<Provider>,
    pub(super) ports: ProvidersPorts,
}

impl Desk {
    /// A provider of a project, if the actor has the permission.
    pub(super) async fn of_project(
        &self,
        actor: &Actor,
        project: ProjectId,
        provider: ProviderId,
        permission: Permission,
    ) -> Result<ProviderRecord, Error> {
        self.ports.access.require(actor, project, permission).await?;
        let found = self.ports.views.find(provider).await?.filter(|found| found.project == project);
        found.ok_or_else(|| Error::NotFound(format!("provider {provider}")))
    }

    /// The current state of a provider.
    pub(super) async fn show(&self, provider: ProviderId) -> Result<ProviderView, Error> {
        let found = self.ports.views.find(provider).await?;
        self.dress(found.ok_or_else(|| Error::NotFound(format!("provider {provider}")))?).await
    }

    pub(super) async fn dress(&self, record: ProviderRecord) -> Result<ProviderView, Error> {
        let key_hint = match record.key {
            HeldKey::Held(key) => Some(self.ports.vault.hint(key).await?.unwrap_or_default()),
            HeldKey::None | HeldKey::Dropped => None,
        };
        Ok(ProviderView { record, key_hint })
    }

    /// Refuses an address to which requests may not be sent.
    pub(super) fn admit(&self, base_url: &str) -> Result<(), Error> {
        self.ports.probe.admits(base_url).map_err(|why| ProviderError::BaseUrlRefused(why).into())
    }

    /// Stores a key before it is recorded.
    pub(super) async fn keep(
        &self,
        provider: ProviderId,
        base_url: &str,
        key: Option<&ProviderSecret>,
    ) -> Result<Option<ProviderKeyId>, Error> {
        let Some(key) = key else { return Ok(None) };
        let id = ProviderKeyId::from(self.ports.ids.next());
        let binding = KeyBinding { id, provider, base_url: base_url.to_owned() };
        self.ports.vault.save(&binding, key, self.ports.clock.now()).await?;
        Ok(Some(id))
    }

    /// Deletes a key that nothing refers to. If that fails, the sweep deletes it.
    pub(super) async fn let_go(&self, key: Option<ProviderKeyId>) {
        let Some(key) = key else { return };
        if let Err(error) = self.ports.vault.remove(key).await {
            tracing::warn!(%error, "a key no provider refers to stays until the next sweep");
        }
    }
}

/// Names are unique among the providers of a project.
pub(super) fn name_claim(project: ProjectId, name: &str) -> Claim {
    Claim { scope: format!("provider.name:{project}"), value: name.to_owned() }
}

/// The name claim of a provider after an event, given the claim before it.
#[must_use]
pub fn held_name(before: Option<Claim>, event: &ProviderEvent) -> Option<Claim> {
    match event {
        ProviderEvent::Added(it) => Some(name_claim(it.project, it.name.as_str())),
        ProviderEvent::Removed(_) => None,
        ProviderEvent::Moved(_)
        | ProviderEvent::ModelsAllowed(_)
        | ProviderEvent::Priced(_)
        | ProviderEvent::KeySet(_)
        | ProviderEvent::Enabled(_)
        | ProviderEvent::Disabled(_) => before,
    }
}

/// A provider that was removed during the change is not found.
pub(super) fn gone(error: Error, provider: ProviderId) -> Error {
    match error {
        Error::Refused(refused) if refused.code == ProviderError::Removed.code() => {
            Error::NotFound(format!("provider {provider}"))
        }
        other => other,
    }
}

/// The key a provider holds, if it holds one.
pub(super) const fn held(key: HeldKey) -> Option<ProviderKeyId> {
    match key {
        HeldKey::Held(key) => Some(key),
        HeldKey::None | HeldKey::Dropped => None,
    }
}
