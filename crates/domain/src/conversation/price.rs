use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::token_count::TokenCount;

/// The price of a model, per million tokens of each class, in millionths of the owner's currency unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Price {
    /// Uncached input tokens.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// Input tokens read from the provider's cache.
    pub cache_read: u64,
    /// Input tokens written to the provider's cache.
    pub cache_write: u64,
    /// Reasoning tokens.
    pub reasoning: u64,
}

impl Price {
    /// Range of a price: at most a million units per million tokens.
    pub const RANGE: RangeInclusive<u64> = 0..=1_000_000_000_000;

    /// The cost of some usage in millionths, rounded up.
    #[must_use]
    pub fn of(&self, usage: &TokenCount) -> u64 {
        let parts = [
            (usage.input, self.input),
            (usage.output, self.output),
            (usage.cache_read, self.cache_read),
            (usage.cache_write, self.cache_write),
            (usage.reasoning, self.reasoning),
        ];
        let costs = parts.into_iter().map(|(tokens, price)| u128::from(tokens) * u128::from(price));
        let sum = costs.fold(0, u128::saturating_add);
        u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }

    /// The maximum cost of this many input and output tokens, whatever their classes turn out to be.
    #[must_use]
    pub fn at_most(&self, read: u64, written: u64) -> u64 {
        let dearest = Self {
            input: self.input.max(self.cache_read).max(self.cache_write),
            output: self.output.max(self.reasoning),
            ..Self::default()
        };
        dearest.of(&TokenCount { input: read, output: written, ..TokenCount::default() })
    }
}

/// The price that was applied to an answer, and its price list; recorded with the answer, whatever happens to the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedPrice {
    /// One version of one list: `agent:3` is version 3 of the agent, `provider:2` the second list of a project's
    /// provider, and `configuration:1f3a9c02` a list in the operator's configuration.
    pub list: String,
    /// The price.
    pub price: Price,
}
