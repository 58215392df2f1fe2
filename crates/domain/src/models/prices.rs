use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{error::ProviderError, values::is_model};
use crate::conversation::Usage;

/// Millionths of a million units: no model costs that much.
const MOST: u64 = 1_000_000_000_000;

/// What a model costs: for a million tokens of each class, in millionths of whatever unit the owner counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Price {
    /// Tokens read afresh.
    pub input: u64,
    /// Tokens written for the caller.
    pub output: u64,
    /// Tokens read from the provider's cache.
    pub cache_read: u64,
    /// Tokens put into the provider's cache.
    pub cache_write: u64,
    /// Tokens the model wrote for itself.
    pub reasoning: u64,
}

impl Price {
    /// What was used costs so many millionths, rounded up.
    #[must_use]
    pub fn of(&self, usage: &Usage) -> u64 {
        let parts = [
            (usage.input, self.input),
            (usage.output, self.output),
            (usage.cache_read, self.cache_read),
            (usage.cache_write, self.cache_write),
            (usage.reasoning, self.reasoning),
        ];
        let sum = parts.into_iter().map(|(tokens, price)| u128::from(tokens) * u128::from(price)).sum::<u128>();
        u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}

/// What the models of a provider cost, by the provider's own names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PriceList(BTreeMap<String, Price>);

impl PriceList {
    /// Checks raw prices.
    ///
    /// # Errors
    /// [`ProviderError::PriceRange`] or [`ProviderError::TooManyModels`].
    pub fn parse(raw: BTreeMap<String, Price>) -> Result<Self, ProviderError> {
        if raw.len() > 200 {
            return Err(ProviderError::TooManyModels);
        }
        for (model, price) in &raw {
            let parts = [price.input, price.output, price.cache_read, price.cache_write, price.reasoning];
            if !is_model(model) || parts.into_iter().any(|part| part > MOST) {
                return Err(ProviderError::PriceRange(model.chars().take(200).collect()));
            }
        }
        Ok(Self(raw))
    }

    /// What a model costs; `None` where nobody said.
    #[must_use]
    pub fn of(&self, model: &str) -> Option<Price> {
        self.0.get(model).copied()
    }

    /// Every price, in order of the models' names.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Price)> {
        self.0.iter().map(|(model, price)| (model.as_str(), *price))
    }
}
