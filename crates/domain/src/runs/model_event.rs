use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    allowance::Spent,
    event::RunEvent,
    values::{Failure, Place},
};
use crate::{
    conversation::{AppliedPrice, Finish, TokenCount, ToolCall},
    kernel::{FirstVersion, Json, Versioned, ids::OperationId},
    workflow::StepId,
};

/// A model is about to be called; recorded before the call. The prompt follows from the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCalled {
    /// Where in the run.
    pub place: Place,
    /// Stays the same over retries.
    pub operation: OperationId,
    /// The model: `<provider>/<model>`.
    pub model: String,
    /// Number of the attempt, from 1.
    pub attempt: u32,
}

/// A model answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelAnswered {
    /// The call.
    pub operation: OperationId,
    /// The text of the answer; empty if it only calls tools.
    pub text: String,
    /// The calls it requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<ToolCall>,
    /// Why the model stopped.
    pub finish: Finish,
    /// The tokens that are billed.
    pub usage: TokenCount,
    /// Whether `usage` is an upper estimate, because the provider did not report it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    /// The provider's name of the model.
    pub model: String,
    /// The model among those of the version that answered; its price is looked up by this name.
    pub answered_by: String,
    /// The cost in millionths of the price currency's unit, if a price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_micros: Option<u64>,
    /// The price that was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<AppliedPrice>,
    /// Data that the provider expects back verbatim when the conversation continues, such as signed reasoning; only
    /// that provider can read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry: Option<Json>,
}

/// Version 1: prices came only from the agent's version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnpricedAnswer {
    /// The call.
    pub operation: OperationId,
    /// The text of the answer; empty if it only calls tools.
    pub text: String,
    /// The calls it requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<ToolCall>,
    /// Why the model stopped.
    pub finish: Finish,
    /// The tokens that are billed.
    pub usage: TokenCount,
    /// The provider's name of the model.
    pub model: String,
    /// The model among those of the version that answered; its price is looked up by this name.
    pub answered_by: String,
    /// The cost in millionths of the price currency's unit, if a price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_micros: Option<u64>,
}

impl Versioned for UnpricedAnswer {
    const TYPE: &'static str = "run.model_answered";
    const VERSION: u16 = 1;
    type Previous = FirstVersion;

    fn upcast(previous: FirstVersion) -> Self {
        match previous {}
    }
}

impl Versioned for ModelAnswered {
    const TYPE: &'static str = "run.model_answered";
    const VERSION: u16 = 2;
    type Previous = UnpricedAnswer;

    fn upcast(previous: UnpricedAnswer) -> Self {
        let UnpricedAnswer { operation, text, calls, finish, usage, model, answered_by, cost_micros } = previous;
        let (estimated, price, carry) = (false, None, None);
        Self { operation, text, calls, finish, usage, estimated, model, answered_by, cost_micros, price, carry }
    }
}

/// A model did not answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFailed {
    /// The call.
    pub operation: OperationId,
    /// The reason.
    pub error: Failure,
    /// When it is retried; `None` if never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<DateTime<Utc>>,
    /// Whether the provider was not called because it is in backoff; such an attempt does not count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unasked: bool,
    /// Whether the prompt exceeds the model's context window and is sent again after compaction.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overflow: bool,
    /// What is billed nevertheless, if an unusable answer was returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed: Option<Bill>,
}

/// What a provider bills for an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bill {
    /// Tokens, by class.
    pub usage: TokenCount,
    /// Whether `usage` is an upper estimate, because the provider did not report it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    /// The model among those of the version that answered; its price is looked up by this name.
    pub answered_by: String,
    /// The cost in millionths of the price currency's unit, if a price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_micros: Option<u64>,
    /// The price that was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<AppliedPrice>,
}

impl Bill {
    /// The usage it adds.
    #[must_use]
    pub fn spent(&self) -> Spent {
        Spent { usage: self.usage, cost_micros: self.cost_micros.unwrap_or_default() }
    }
}

impl ModelAnswered {
    /// What is billed for the answer.
    #[must_use]
    pub fn bill(&self) -> Bill {
        let Self { usage, estimated, cost_micros, .. } = *self;
        Bill { usage, estimated, answered_by: self.answered_by.clone(), cost_micros, price: self.price.clone() }
    }
}

impl RunEvent {
    /// What a provider bills for the event, if it is an answer of a model, usable or not.
    #[must_use]
    pub fn bill(&self) -> Option<Bill> {
        match self {
            Self::ModelAnswered(answered) => Some(answered.bill()),
            Self::ModelFailed(failed) => failed.billed.clone(),
            _ => None,
        }
    }
}

/// A final answer does not match the agent's output schema; the errors are passed to the model once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerRejected {
    /// The turn of the answer.
    pub step: StepId,
    /// The validation errors.
    pub errors: Vec<String>,
}

/// Why turns are removed from what the model sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaving {
    /// They exceed the agent's window.
    #[default]
    Window,
    /// A prompt exceeded the model's context window.
    Overflow,
}

impl Leaving {
    const fn is_window(&self) -> bool {
        matches!(self, Self::Window)
    }
}

/// Why removed turns have no summary, although the agent asks for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unsummarised {
    /// The summary was cut off, even with a higher limit.
    Truncated,
    /// The model, or a filter in front of it, refused to summarise.
    Refused,
    /// The summary was empty.
    Empty,
    /// The model could not be called.
    Failed,
}

/// Turns were removed from what the model sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContextCompacted {
    /// First removed turn, from 1.
    pub from: u32,
    /// Last removed turn.
    pub through: u32,
    /// The model call whose answer summarises them, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<OperationId>,
    /// Why they were removed.
    #[serde(default, skip_serializing_if = "Leaving::is_window")]
    pub cause: Leaving,
    /// Why there is no summary, although the agent asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsummarised: Option<Unsummarised>,
}

crate::first_version!(
    ModelCalled = "run.model_called",
    ModelFailed = "run.model_failed",
    AnswerRejected = "run.answer_rejected",
    ContextCompacted = "run.context_compacted",
);
