//! Who answers for language models: a project's providers, where they are reached, what they may be asked and what
//! that costs. Their keys live outside the log; events name them by id only.

mod error;
mod event;
mod prices;
mod provider;
mod values;

#[cfg(test)]
mod tests;

pub use crate::conversation::Price;
pub use error::ProviderError;
pub use event::{
    ProviderAdded, ProviderDisabled, ProviderEnabled, ProviderEvent, ProviderKeySet, ProviderModelsAllowed,
    ProviderMoved, ProviderPriced, ProviderRemoved,
};
pub use prices::PriceList;
pub use provider::{HeldKey, NewProvider, Provider, ProviderChange, ProviderDetails};
pub use values::{AllowedModels, ProviderKind, ProviderName, ProviderUrl};
