//! Bodies of model providers.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use devskyy_application::models::{ProviderView, Reachability};
use devskyy_domain::{
    kernel::Version,
    models::{HeldKey, Price},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    extract::Revision,
    ids::{ProjectRef, ProviderRef},
};

/// The price of a model per million tokens of each class, in millionths of your currency.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ModelPrice)]
pub(super) struct PriceBody {
    /// Tokens read afresh.
    #[serde(default)]
    input: u64,
    /// Tokens written for the caller.
    #[serde(default)]
    output: u64,
    /// Tokens read from the provider's cache.
    #[serde(default)]
    cache_read: u64,
    /// Tokens put into the provider's cache.
    #[serde(default)]
    cache_write: u64,
    /// Tokens the model wrote for itself.
    #[serde(default)]
    reasoning: u64,
}

impl From<PriceBody> for Price {
    fn from(body: PriceBody) -> Self {
        let PriceBody { input, output, cache_read, cache_write, reasoning } = body;
        Self { input, output, cache_read, cache_write, reasoning }
    }
}

impl From<Price> for PriceBody {
    fn from(price: Price) -> Self {
        let Price { input, output, cache_read, cache_write, reasoning } = price;
        Self { input, output, cache_read, cache_write, reasoning }
    }
}

/// A provider of models, without its key.
#[derive(Serialize, ToSchema)]
#[schema(as = Provider)]
pub(super) struct ProviderBody {
    /// Which.
    pub(super) id: ProviderRef,
    /// The project it answers for.
    pub(super) project_id: ProjectRef,
    /// The name before the slash in the names of its models.
    #[schema(example = "openai")]
    name: String,
    /// `openai` or `anthropic`.
    #[schema(example = "openai")]
    kind: &'static str,
    /// The base URL.
    base_url: String,
    /// Models that may be used; all of them if empty.
    models: Vec<String>,
    /// The prices of its models.
    prices: BTreeMap<String, PriceBody>,
    /// Numbers the price list, from 1.
    prices_version: u32,
    /// Whether it has a key for its present address.
    has_key: bool,
    /// The last four characters of the key, if it is long enough.
    key_hint: Option<String>,
    /// Whether it had a key for another address and needs a new one before it can be asked.
    needs_key: bool,
    /// Whether it may be asked.
    enabled: bool,
    /// When it was added.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// Its version, also its `ETag`.
    version: Version,
}

impl From<ProviderView> for ProviderBody {
    fn from(view: ProviderView) -> Self {
        let ProviderView { record, key_hint } = view;
        Self {
            id: record.id.into(),
            project_id: record.project.into(),
            name: record.name,
            kind: record.kind.as_str(),
            base_url: record.base_url,
            models: record.models.names().map(str::to_owned).collect(),
            prices: record.prices.entries().map(|(model, price)| (model.to_owned(), price.into())).collect(),
            prices_version: record.prices_version,
            has_key: matches!(record.key, HeldKey::Held(_)),
            key_hint: key_hint.filter(|hint| !hint.is_empty()),
            needs_key: record.key == HeldKey::Dropped,
            enabled: record.enabled,
            created_at: record.created_at,
            updated_at: record.updated_at,
            version: record.version,
        }
    }
}

impl Revision for ProviderBody {
    fn version(&self) -> Version {
        self.version
    }
}

/// The result of testing a provider.
#[derive(Serialize, ToSchema)]
#[schema(as = Reachability)]
pub(super) struct ReachabilityBody {
    /// Whether it answered and accepted the key.
    reachable: bool,
    /// The models that the provider lists.
    models: Vec<String>,
    /// A description of the error.
    problem: Option<String>,
}

impl From<Reachability> for ReachabilityBody {
    fn from(reached: Reachability) -> Self {
        let Reachability { reachable, models, problem } = reached;
        Self { reachable, models, problem }
    }
}
