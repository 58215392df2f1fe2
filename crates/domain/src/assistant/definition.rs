use std::{collections::BTreeMap, ops::RangeInclusive};

use serde::{Deserialize, Serialize};

use super::{price::Price, tool::AssistantTool};
use crate::{
    budgets::Terms,
    kernel::Json,
    models::{AllowedModels, ProviderName},
    workflow::{Backoff, Sent},
};

/// A model in a loop with tools: it is called, its tool calls are made, it gets the results, and so on until it gives
/// an answer without calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assistant {
    /// The model: `<provider>/<model>`.
    pub model: String,
    /// Models to try in this order when the provider of the first one does not answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<String>,
    /// Template of the system prompt; sees `{input, run: {id}}`.
    pub instructions: String,
    /// The tools the model may call, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, AssistantTool>,
    /// JSON Schema of the input; any input is accepted without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Json>,
    /// JSON Schema of the output, which is JSON then; without one the output is the model's last text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Json>,
    /// How much of a long conversation the model sees.
    #[serde(default)]
    pub context: ContextPolicy,
    /// The limits at which a run is ended.
    #[serde(default)]
    pub limits: AssistantLimits,
    /// How failed model and tool calls are retried.
    #[serde(default)]
    pub retry: Backoff,
    /// Sampling temperature, 0–2; the provider's default without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Maximum number of tokens of one answer; 1–1,000,000.
    #[serde(default = "default_output_tokens")]
    pub max_output_tokens: u32,
    /// Seconds after which an approval expires and counts as denied; 1–2,592,000. By default, at the deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_expires_s: Option<u32>,
    /// Prices of models, by `<provider>/<model>`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prices: BTreeMap<String, Price>,
}

const fn default_output_tokens() -> u32 {
    4_096
}

impl Assistant {
    /// Length of a model's name: the provider's name, a slash and the provider's name of the model.
    pub const MODEL: RangeInclusive<usize> = 3..=*ProviderName::LENGTH.end() + 1 + *AllowedModels::LENGTH.end();
    /// Maximum number of fallback models.
    pub const FALLBACKS: usize = 8;
    /// Maximum number of models with their own price.
    pub const PRICES: usize = AllowedModels::MOST;
    /// Range of the token limit of one answer.
    pub const OUTPUT_TOKENS: RangeInclusive<u32> = 1..=1_000_000;

    /// The model and its fallbacks.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.model).chain(&self.fallbacks).map(String::as_str)
    }

    /// The requests that its tools send.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent<'_>> {
        let sent = self.tools.iter().filter_map(|(name, tool)| match tool {
            AssistantTool::Http { request, .. } => Some(Sent::request(name, request)),
            AssistantTool::Mcp { server, .. } => Some(Sent::server(name, server)),
            AssistantTool::Builtin { .. } | AssistantTool::Agent { .. } => None,
        });
        sent.collect()
    }

    /// The sampling temperature in thousandths.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
    pub fn temperature_thousandths(&self) -> Option<u16> {
        self.temperature.map(|temperature| (temperature.clamp(0.0, 2.0) * 1_000.0).round() as u16)
    }
}

/// How much of a long conversation the model sees: always the instructions, the input and the pinned turns, and the
/// latest of the others. A turn is an answer of the model with the results of its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContextPolicy {
    /// Maximum number of turns besides the pinned ones; 1–1,000. Older ones are removed in bulk, down to half of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_turns: Option<u32>,
    /// Maximum tokens of those turns, estimated as a quarter of their bytes; 100–10,000,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_tokens: Option<u32>,
    /// Number of first turns that are never removed; 0–100.
    pub pinned_turns: u32,
    /// Whether the model summarises removed turns; otherwise it only sees that turns were left out.
    pub summary: bool,
}

impl ContextPolicy {
    /// Range of `window_turns`.
    pub const WINDOW_TURNS: RangeInclusive<u32> = 1..=1_000;
    /// Range of `window_tokens`.
    pub const WINDOW_TOKENS: RangeInclusive<u32> = 100..=10_000_000;
    /// Range of `pinned_turns`.
    pub const PINNED_TURNS: RangeInclusive<u32> = 0..=100;
}

/// The limits at which a run of an assistant is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AssistantLimits {
    /// Model calls, tool calls and approvals together; 1–10,000.
    pub max_steps: u32,
    /// Tokens of all classes; no further model call begins once they are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Cost in millionths of the price currency's unit; no further model call begins once it is spent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost_micros: Option<u64>,
    /// Seconds from start to end, including waiting; 1–2,592,000 (30 days).
    pub wall_clock_s: u32,
    /// Tool calls in progress at once; 1–64.
    pub concurrency: u32,
}

impl AssistantLimits {
    /// Range of the token and cost limits; the same as for budgets.
    pub const SPENDING: RangeInclusive<u64> = Terms::LIMIT;
}

impl Default for AssistantLimits {
    fn default() -> Self {
        Self { max_steps: 100, max_tokens: None, max_cost_micros: None, wall_clock_s: 3_600, concurrency: 8 }
    }
}
