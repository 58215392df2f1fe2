use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    error::ProviderError,
    values::{AllowedModels, is_model},
};
use crate::conversation::Price;

/// The prices of a provider's models, by the provider's names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PriceList(BTreeMap<String, Price>);

impl PriceList {
    /// Validates raw prices.
    ///
    /// # Errors
    /// [`ProviderError::PriceRange`] or [`ProviderError::TooManyModels`].
    pub fn parse(raw: BTreeMap<String, Price>) -> Result<Self, ProviderError> {
        if raw.len() > AllowedModels::MOST {
            return Err(ProviderError::TooManyModels);
        }
        for (model, price) in &raw {
            let parts = [price.input, price.output, price.cache_read, price.cache_write, price.reasoning];
            if !is_model(model) || parts.into_iter().any(|part| !Price::RANGE.contains(&part)) {
                return Err(ProviderError::PriceRange(model.chars().take(200).collect()));
            }
        }
        Ok(Self(raw))
    }

    /// The price of a model; `None` if it is not listed.
    #[must_use]
    pub fn of(&self, model: &str) -> Option<Price> {
        self.0.get(model).copied()
    }

    /// All prices, in order of the models' names.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Price)> {
        self.0.iter().map(|(model, price)| (model.as_str(), *price))
    }
}
