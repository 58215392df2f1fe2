use std::sync::Arc;

use async_trait::async_trait;
use devskyy_domain::{
    conversation::{AppliedPrice, Price},
    kernel::ids::{ProjectId, ProviderId},
    models::{AllowedModels, PriceList},
};
use sha2::{Digest, Sha256};

use super::ports::Models;
use crate::error::PortError;

/// A provider that requests can be sent to.
#[derive(Clone)]
pub struct Route {
    /// Identifies it across all projects; stable while its address stays the same.
    pub id: String,
    /// Its adapter.
    pub models: Arc<dyn Models>,
    /// The allowed models.
    pub allowed: AllowedModels,
    /// Their prices.
    pub prices: PriceList,
    /// The origin of the price list.
    pub price_list: PriceListOf,
}

/// The origin and version of a price list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceListOf {
    /// That of a project's provider.
    Provider(ProviderId, u32),
    /// That of the operator's configuration; its versions are distinguished by content.
    Configuration,
}

impl Route {
    /// The current price of a model.
    #[must_use]
    pub fn price(&self, model: &str) -> Option<AppliedPrice> {
        let price = self.prices.of(model)?;
        let list = match self.price_list {
            PriceListOf::Provider(provider, version) => format!("provider:{provider}:{version}"),
            PriceListOf::Configuration => format!("configuration:{}", fingerprint(&self.prices)),
        };
        Some(AppliedPrice { list, price })
    }
}

/// Equal lists have equal fingerprints; eight digits suffice for those of one operator.
fn fingerprint(prices: &PriceList) -> String {
    let mut digest = Sha256::new();
    for (model, Price { input, output, cache_read, cache_write, reasoning }) in prices.entries() {
        digest.update(model);
        digest.update([0]);
        for part in [input, output, cache_read, cache_write, reasoning] {
            digest.update(part.to_be_bytes());
        }
    }
    digest.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// A configured provider.
#[derive(Clone)]
pub enum Provided {
    /// It is available.
    Ready(Box<Route>),
    /// It is not available, for this reason.
    Off(&'static str),
}

/// Finds providers by name.
#[async_trait]
pub trait ModelProviders: Send + Sync {
    /// The provider of that name: the project's own, or else the platform's. The project's own hides the platform's
    /// even when it is not available.
    ///
    /// # Errors
    /// [`PortError`] when the configuration cannot be read.
    async fn find(&self, project: ProjectId, name: &str) -> Result<Option<Provided>, PortError>;
}

/// The prices of models.
#[async_trait]
pub trait ModelPrices: Send + Sync {
    /// The current price of `<provider>/<model>` for a project; `None` if it is unknown or the model is not available.
    ///
    /// # Errors
    /// [`PortError`] when the configuration cannot be read.
    async fn price(&self, project: ProjectId, model: &str) -> Result<Option<AppliedPrice>, PortError>;
}
