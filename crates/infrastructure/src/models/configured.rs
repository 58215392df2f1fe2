use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    models::{
        KeyBinding, ModelError, ModelProviders, PriceListOf, Provided, ProviderProbe, ProviderRecord, ProviderSecret,
        ProviderVault, ProviderViews, Route,
    },
};
use devskyy_domain::{
    kernel::ids::ProjectId,
    models::{AllowedModels, HeldKey, PriceList, ProviderKind},
};

use super::{endpoint::Endpoint, provider::ProviderModels, wire::Wire};

/// Timeout for listing a provider's models.
const PROBE: Duration = Duration::from_secs(15);

/// A provider of the platform, from the operator's configuration.
#[derive(Debug, Clone)]
pub struct PlatformProvider {
    /// Its endpoint.
    pub endpoint: Endpoint,
    /// The allowed models.
    pub models: AllowedModels,
    /// Their prices.
    pub prices: PriceList,
}

/// The providers of projects, which take precedence over those of the platform.
pub struct ConfiguredProviders {
    platform: BTreeMap<String, PlatformProvider>,
    views: Arc<dyn ProviderViews>,
    vault: Arc<dyn ProviderVault>,
    wire: Arc<Wire>,
}

impl ConfiguredProviders {
    /// Combines the operator's providers, by name, with those of projects.
    #[must_use]
    pub fn new(
        platform: BTreeMap<String, PlatformProvider>,
        views: Arc<dyn ProviderViews>,
        vault: Arc<dyn ProviderVault>,
        wire: Arc<Wire>,
    ) -> Self {
        Self { platform, views, vault, wire }
    }

    async fn own(&self, record: ProviderRecord) -> Result<Provided, PortError> {
        if !record.enabled {
            return Ok(Provided::Off("the provider is disabled"));
        }
        let key = match record.key {
            HeldKey::None => None,
            HeldKey::Dropped => return Ok(Provided::Off("the provider has no key for its address; set one")),
            HeldKey::Held(id) => {
                let binding = KeyBinding { id, provider: record.id, base_url: record.base_url.clone() };
                let Some(key) = self.vault.open(&binding).await? else {
                    return Ok(Provided::Off("the provider's key cannot be opened; set it again"));
                };
                Some(key.expose().into())
            }
        };
        let endpoint =
            Endpoint { kind: record.kind, base_url: record.base_url.clone(), key, trusted: false, first_byte: None };
        Ok(Provided::Ready(Box::new(Route {
            id: format!("{}@{}", record.id, record.base_url),
            models: Arc::new(ProviderModels::new(endpoint, self.wire.clone())),
            allowed: record.models,
            prices: record.prices,
            price_list: PriceListOf::Provider(record.id, record.prices_version),
        })))
    }

    fn of_platform(&self, name: &str) -> Option<Provided> {
        let PlatformProvider { endpoint, models, prices } = self.platform.get(name)?.clone();
        Some(Provided::Ready(Box::new(Route {
            id: name.to_owned(),
            models: Arc::new(ProviderModels::new(endpoint, self.wire.clone())),
            allowed: models,
            prices,
            price_list: PriceListOf::Configuration,
        })))
    }
}

#[async_trait]
impl ModelProviders for ConfiguredProviders {
    async fn find(&self, project: ProjectId, name: &str) -> Result<Option<Provided>, PortError> {
        match self.views.named(project, name).await? {
            Some(record) => self.own(record).await.map(Some),
            None => Ok(self.of_platform(name)),
        }
    }
}

/// Connects to providers of projects, if the operator's egress policy allows it.
pub struct HttpProviderProbe(Arc<Wire>);

impl HttpProviderProbe {
    /// A probe over HTTP.
    #[must_use]
    pub const fn new(wire: Arc<Wire>) -> Self {
        Self(wire)
    }
}

#[async_trait]
impl ProviderProbe for HttpProviderProbe {
    fn admits(&self, base_url: &str) -> Result<(), String> {
        self.0.admits(base_url)
    }

    async fn list(
        &self,
        kind: ProviderKind,
        base_url: &str,
        key: Option<&ProviderSecret>,
    ) -> Result<Vec<String>, ModelError> {
        let key = key.map(|key| key.expose().into());
        let endpoint = Endpoint { kind, base_url: base_url.to_owned(), key, trusted: false, first_byte: None };
        let models = ProviderModels::new(endpoint, self.0.clone());
        tokio::time::timeout(PROBE, models.list()).await.unwrap_or(Err(ModelError::Timeout))
    }
}
