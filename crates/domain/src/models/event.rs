use serde::{Deserialize, Serialize};

use super::{
    prices::PriceList,
    values::{AllowedModels, ProviderKind, ProviderName, ProviderUrl},
};
use crate::kernel::ids::{ProjectId, ProviderKeyId};

/// A provider was added to a project, enabled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderAdded {
    /// The project.
    pub project: ProjectId,
    /// Its name.
    pub name: ProviderName,
    /// Its protocol.
    pub kind: ProviderKind,
    /// Its base URL.
    pub base_url: ProviderUrl,
    /// The models that may be called.
    pub models: AllowedModels,
    /// Version 1 of its prices.
    pub prices: PriceList,
}

/// The provider's base URL was changed; its previous key is not sent there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderMoved {
    /// The new base URL.
    pub base_url: ProviderUrl,
}

/// The allowed models were changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderModelsAllowed {
    /// The models that may be called.
    pub models: AllowedModels,
}

/// The prices were changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderPriced {
    /// Version of the price list, from 1.
    pub version: u32,
    /// The new prices.
    pub prices: PriceList,
}

/// The provider's API key was replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderKeySet {
    /// The id of the key.
    pub key: ProviderKeyId,
}

/// The provider was enabled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderEnabled {}

/// The provider was disabled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderDisabled {}

/// The provider was removed together with its key.
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
        /// It was added to a project.
        Added(ProviderAdded),
        /// Its base URL was changed.
        Moved(ProviderMoved),
        /// The allowed models were changed.
        ModelsAllowed(ProviderModelsAllowed),
        /// The prices were changed.
        Priced(ProviderPriced),
        /// Its API key was replaced.
        KeySet(ProviderKeySet),
        /// It was enabled.
        Enabled(ProviderEnabled),
        /// It was disabled.
        Disabled(ProviderDisabled),
        /// It was removed.
        Removed(ProviderRemoved),
    }
}
