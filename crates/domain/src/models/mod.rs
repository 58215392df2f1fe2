//! A project's providers of language models: their base URLs, allowed models and prices. Their API keys are stored
//! outside the log; events refer to them by id.

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
