//! What a project's providers can be asked to be.

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

/// What providers need from outside.
#[derive(Clone)]
pub struct ProvidersPorts {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Providers as the log tells.
    pub views: Arc<dyn ProviderViews>,
    /// Their keys.
    pub vault: Arc<dyn ProviderVault>,
    /// The way to them.
    pub probe: Arc<dyn ProviderProbe>,
    /// Who may do what.
    pub access: Access,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn IdGenerator>,
}

/// Everything a project's providers can be asked.
pub struct Providers {
    /// Adds one.
    pub add: AddProviderHandler,
    /// Lists them.
    pub list: ListProvidersHandler,
    /// Shows one.
    pub get: GetProviderHandler,
    /// Changes one, its key too.
    pub change: ChangeProviderHandler,
    /// Removes one.
    pub remove: RemoveProviderHandler,
    /// Sees whether one is there.
    pub test: TestProviderHandler,
}

impl Providers {
    /// Providers over their ports.
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

/// Where providers are looked up and their keys kept.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) providers: Repository<Provider>,
    pub(super) ports: ProvidersPorts,
}

impl Desk {
    /// One provider of one project, for those who may do this to it.
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

    /// One provider as it stands.
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

    /// Refuses an address to which nothing may be sent.
    pub(super) fn admit(&self, base_url: &str) -> Result<(), Error> {
        self.ports.probe.admits(base_url).map_err(|why| ProviderError::BaseUrlRefused(why).into())
    }

    /// Keeps a key that is about to be recorded.
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

    /// Lets go of a key nobody refers to. Where that fails the sweep finds it.
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

/// The name that a provider holds after something happened to it, by what it held before.
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

/// A provider that was removed while it was being changed is not there.
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
