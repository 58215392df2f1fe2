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

/// A provider as it is asked.
#[derive(Clone)]
pub struct Route {
    /// Tells it from all others, of all projects; the same for as long as it is reached at the same address.
    pub id: String,
    /// Who asks it.
    pub models: Arc<dyn Models>,
    /// What it may be asked for.
    pub allowed: AllowedModels,
    /// What that costs.
    pub prices: PriceList,
    /// Whose list that is.
    pub price_list: PriceListOf,
}

/// Which version of which price list it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceListOf {
    /// That of a project's provider.
    Provider(ProviderId, u32),
    /// That of the operator's configuration; what it says tells its versions apart.
    Configuration,
}

impl Route {
    /// What one of its models costs at present.
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

/// Lists that say the same have the same; eight digits tell those of one operator apart.
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

/// A provider that is configured.
#[derive(Clone)]
pub enum Provided {
    /// It can be asked.
    Ready(Box<Route>),
    /// It cannot be asked, for this reason.
    Off(&'static str),
}

/// Finds whom to ask.
#[async_trait]
pub trait ModelProviders: Send + Sync {
    /// The provider of that name: the project's own, or else the platform's. The project's own hides the platform's
    /// even where it cannot be asked.
    ///
    /// # Errors
    /// [`PortError`] when the configuration cannot be read.
    async fn find(&self, project: ProjectId, name: &str) -> Result<Option<Provided>, PortError>;
}

/// Knows what models cost.
#[async_trait]
pub trait ModelPrices: Send + Sync {
    /// What `<provider>/<model>` costs a project at present; `None` where nobody said or nobody can be asked.
    ///
    /// # Errors
    /// [`PortError`] when the configuration cannot be read.
    async fn price(&self, project: ProjectId, model: &str) -> Result<Option<AppliedPrice>, PortError>;
}
