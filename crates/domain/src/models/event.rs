use serde::{Deserialize, Serialize};

use super::{
    prices::PriceList,
    values::{AllowedModels, ProviderKind, ProviderName, ProviderUrl},
};
use crate::kernel::ids::{ProjectId, ProviderKeyId};

/// A project has another provider, which is enabled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderAdded {
    /// Which project.
    pub project: ProjectId,
    /// Under which name.
    pub name: ProviderName,
    /// What it speaks.
    pub kind: ProviderKind,
    /// Where it is reached.
    pub base_url: ProviderUrl,
    /// What it may be asked for.
    pub models: AllowedModels,
    /// What that costs: version 1 of its prices.
    pub prices: PriceList,
}

/// The provider is reached elsewhere; whatever key it had does not count there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderMoved {
    /// Where.
    pub base_url: ProviderUrl,
}

/// The provider may be asked for these models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderModelsAllowed {
    /// Which.
    pub models: AllowedModels,
}

/// The provider's models cost something else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderPriced {
    /// Numbers the price list, from 1.
    pub version: u32,
    /// What they cost.
    pub prices: PriceList,
}

/// The provider is paid with another key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderKeySet {
    /// Names the key.
    pub key: ProviderKeyId,
}

/// The provider may be asked again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderEnabled {}

/// The provider is not asked for now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderDisabled {}

/// The provider is gone, and its key with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderRemoved {}

crate::first_version! {
    ProviderAdded = "provider.added",
    ProviderMoved = "provider.moved",
    ProviderModelsAllowed = "provider.models_allowed",
    ProviderPriced = "provider.priced",
    ProviderKeySet = "provider.key_set",
    ProviderEnabled = "provider.enabled",
    ProviderDisabled = "provider.disabled",
    ProviderRemoved = "provider.removed",
}

crate::event_set! {
    /// What can happen to a provider of models.
    pub enum ProviderEvent {
        /// A project has another provider.
        Added(ProviderAdded),
        /// It is reached elsewhere.
        Moved(ProviderMoved),
        /// It may be asked for other models.
        ModelsAllowed(ProviderModelsAllowed),
        /// Its models cost something else.
        Priced(ProviderPriced),
        /// It is paid with another key.
        KeySet(ProviderKeySet),
        /// It may be asked again.
        Enabled(ProviderEnabled),
        /// It is not asked for now.
        Disabled(ProviderDisabled),
        /// It is gone.
        Removed(ProviderRemoved),
    }
}
