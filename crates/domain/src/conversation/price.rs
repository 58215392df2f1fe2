use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::token_count::TokenCount;

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
    /// Millionths of a million units: no model costs more.
    pub const RANGE: RangeInclusive<u64> = 0..=1_000_000_000_000;

    /// What was used costs so many millionths, rounded up.
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

    /// The most that so many tokens read and written can cost, whatever classes they turn out to be of.
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

/// What a model cost when it answered, and which list said so; kept with the answer, whatever the list says later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedPrice {
    /// Names one version of one list: `agent:3` is the agent's version 3, `provider:2` the second list of a project's
    /// provider, `configuration:1f3a9c02` what the operator had configured.
    pub list: String,
    /// What it said.
    pub price: Price,
}
