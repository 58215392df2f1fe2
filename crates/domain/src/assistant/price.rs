use serde::{Deserialize, Serialize};

use crate::conversation::Usage;

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
    /// What so many tokens cost, in millionths of a unit, rounded up.
    #[must_use]
    pub fn of(&self, usage: &Usage) -> u64 {
        let classes = [
            (usage.input, self.input),
            (usage.output, self.output),
            (usage.cache_read, self.cache_read),
            (usage.cache_write, self.cache_write),
            (usage.reasoning, self.reasoning.unwrap_or(self.output)),
        ];
        let sum: u128 = classes.iter().map(|(tokens, price)| u128::from(*tokens) * u128::from(*price)).sum();
        u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}
