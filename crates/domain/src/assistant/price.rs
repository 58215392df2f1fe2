use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::conversation;

/// The price of a model in millionths of a currency unit per million tokens: 2.50 per million is 2,500,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Uncached input.
    pub input: u64,
    /// Output.
    pub output: u64,
    /// Input read from the provider's cache.
    #[serde(default)]
    pub cache_read: u64,
    /// Input written to the provider's cache.
    #[serde(default)]
    pub cache_write: u64,
    /// Reasoning; the price of `output` if not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<u64>,
}

impl Price {
    /// Range of a price.
    pub const RANGE: RangeInclusive<u64> = conversation::Price::RANGE;
}

impl From<Price> for conversation::Price {
    fn from(price: Price) -> Self {
        let Price { input, output, cache_read, cache_write, reasoning } = price;
        Self { input, output, cache_read, cache_write, reasoning: reasoning.unwrap_or(output) }
    }
}
