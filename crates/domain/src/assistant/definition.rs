use std::{collections::BTreeMap, ops::RangeInclusive};

use serde::{Deserialize, Serialize};

use super::{price::Price, tool::AssistantTool};
use crate::{
    budgets::Terms,
    kernel::Json,
    models::{AllowedModels, ProviderName},
    workflow::{Backoff, Sent},
};

/// A model in a loop with tools: it is asked, the calls it wants are made, it is told what came of them, and so on until it
/// answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assistant {
    /// Which model: `<provider>/<model>`.
    pub model: String,
    /// Models asked in its place, in this order, while its provider does not answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<String>,
    /// Template of what the model is to be and to keep to; sees `{input, run: {id}}`.
    pub instructions: String,
    /// What the model may call, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, AssistantTool>,
    /// JSON Schema of the input; anything goes without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Json>,
    /// JSON Schema of the output, which then is JSON; without one the output is the model's last text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Json>,
    /// What of a long conversation the model still sees.
    #[serde(default)]
    pub context: ContextPolicy,
    /// What ends a run that does not end by itself.
    #[serde(default)]
    pub limits: AssistantLimits,
    /// How failed calls, of the model and of tools, are tried again.
    #[serde(default)]
    pub retry: Backoff,
    /// How much chance the model may use, 0–2; the provider's own choice without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Most tokens of one answer; 1–1,000,000.
    #[serde(default = "default_output_tokens")]
    pub max_output_tokens: u32,
    /// Seconds after which a question about a call counts as denied; 1–2,592,000. It waits for the deadline without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_expires_s: Option<u32>,
    /// What models cost, by `<provider>/<model>`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prices: BTreeMap<String, Price>,
}

const fn default_output_tokens() -> u32 {
    4_096
}

impl Assistant {
    /// Characters of a model's name: its provider's, a slash and its own.
    pub const MODEL: RangeInclusive<usize> = 3..=*ProviderName::LENGTH.end() + 1 + *AllowedModels::LENGTH.end();
    /// Most models asked in place of the first.
    pub const FALLBACKS: usize = 8;
    /// Most models with a price of their own.
    pub const PRICES: usize = AllowedModels::MOST;
    /// Tokens of one answer at most.
    pub const OUTPUT_TOKENS: RangeInclusive<u32> = 1..=1_000_000;

    /// The model and those asked in its place.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.model).chain(&self.fallbacks).map(String::as_str)
    }

    /// What its tools send.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent<'_>> {
        let sent = self.tools.iter().filter_map(|(name, tool)| match tool {
            AssistantTool::Http { request, .. } => Some(Sent::request(name, request)),
            AssistantTool::Mcp { server, .. } => Some(Sent::server(name, server)),
            AssistantTool::Builtin { .. } | AssistantTool::Agent { .. } => None,
        });
        sent.collect()
    }

    /// How much chance the model may use, in thousandths.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
    pub fn temperature_thousandths(&self) -> Option<u16> {
        self.temperature.map(|temperature| (temperature.clamp(0.0, 2.0) * 1_000.0).round() as u16)
    }
}

/// What of a long conversation the model still sees: the instructions, the input and the pinned turns always, of the others
/// the latest. A turn is an answer of the model with everything that came of its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContextPolicy {
    /// Most turns, beside the pinned ones; 1–1,000. Older ones leave in bulk, down to half of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_turns: Option<u32>,
    /// Most tokens of those turns, estimated as a quarter of their bytes; 100–10,000,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_tokens: Option<u32>,
    /// First turns that never leave; 0–100.
    pub pinned_turns: u32,
    /// Whether the model sums up what leaves; without, it is only told that turns are left out.
    pub summary: bool,
}

impl ContextPolicy {
    /// Turns that the model sees beside the pinned ones.
    pub const WINDOW_TURNS: RangeInclusive<u32> = 1..=1_000;
    /// Tokens of those turns.
    pub const WINDOW_TOKENS: RangeInclusive<u32> = 100..=10_000_000;
    /// First turns that never leave.
    pub const PINNED_TURNS: RangeInclusive<u32> = 0..=100;
}

/// What ends a run of an assistant that does not end by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AssistantLimits {
    /// Model calls, tool calls and approvals, all together; 1–10,000.
    pub max_steps: u32,
    /// Tokens of all classes; no model call begins once so many are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Cost in millionths of the unit of the prices; no model call begins once so much is spent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost_micros: Option<u64>,
    /// Seconds from start to end, waiting included; 1–2,592,000 (30 days).
    pub wall_clock_s: u32,
    /// Tool calls under way at once; 1–64.
    pub concurrency: u32,
}

impl AssistantLimits {
    /// Tokens, and millionths of the unit of the prices, that one run may use: as much as a budget may allow.
    pub const SPENDING: RangeInclusive<u64> = Terms::LIMIT;
}

impl Default for AssistantLimits {
    fn default() -> Self {
        Self { max_steps: 100, max_tokens: None, max_cost_micros: None, wall_clock_s: 3_600, concurrency: 8 }
    }
}
