use std::sync::Arc;

use async_trait::async_trait;
use devskyy_domain::{
    kernel::ids::ProjectId,
    models::{AllowedModels, Price, PriceList},
};

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
    /// Numbers the price list, from 1.
    pub prices_version: u32,
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

/// What a model costs, and by which price list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priced {
    /// Numbers the price list of its provider.
    pub version: u32,
    /// What it costs.
    pub price: Price,
}

/// Knows what models cost.
#[async_trait]
pub trait ModelPrices: Send + Sync {
    /// What `<provider>/<model>` costs a project at present; `None` where nobody said or nobody can be asked.
    ///
    /// # Errors
    /// [`PortError`] when the configuration cannot be read.
    async fn price(&self, project: ProjectId, model: &str) -> Result<Option<Priced>, PortError>;
}
