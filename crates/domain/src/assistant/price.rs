use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::conversation;

/// What a model costs, in millionths of a unit of money per million tokens: 2.50 a million is 2,500,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Read afresh.
    pub input: u64,
    /// Written for the caller.
    pub output: u64,
    /// Read from the provider's cache.
    #[serde(default)]
    pub cache_read: u64,
    /// Put into the provider's cache.
    #[serde(default)]
    pub cache_write: u64,
    /// Written by the model for itself; as `output` where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<u64>,
}

impl Price {
    /// What a price may be.
    pub const RANGE: RangeInclusive<u64> = conversation::Price::RANGE;
}

impl From<Price> for conversation::Price {
    fn from(price: Price) -> Self {
        let Price { input, output, cache_read, cache_write, reasoning } = price;
        Self { input, output, cache_read, cache_write, reasoning: reasoning.unwrap_or(output) }
    }
}
