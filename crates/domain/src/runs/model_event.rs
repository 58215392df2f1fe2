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

/// A model is about to be asked; recorded before it is. What it is asked follows from the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCalled {
    /// Where.
    pub place: Place,
    /// Never changes over retries.
    pub operation: OperationId,
    /// Which model: `<provider>/<model>`.
    pub model: String,
    /// Which try, from 1.
    pub attempt: u32,
}

/// A model answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelAnswered {
    /// Which call.
    pub operation: OperationId,
    /// What it said; empty where it only called tools.
    pub text: String,
    /// The calls it wants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<ToolCall>,
    /// Why it stopped.
    pub finish: Finish,
    /// What it is billed for.
    pub usage: TokenCount,
    /// Whether that is a guess, the most it can have been, because the provider did not say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    /// The model as the provider names it.
    pub model: String,
    /// Which of the names in the version answered, the one its price is found under.
    pub answered_by: String,
    /// What that cost, in millionths of the unit of the prices, where a price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_micros: Option<u64>,
    /// The price by which it cost that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<AppliedPrice>,
    /// What the provider that answered wants back word for word where the conversation goes on, such as signed thoughts; only
    /// that provider understands it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry: Option<Json>,
}

/// As it was when only an agent's version could say what a model costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnpricedAnswer {
    /// Which call.
    pub operation: OperationId,
    /// What it said; empty where it only called tools.
    pub text: String,
    /// The calls it wants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<ToolCall>,
    /// Why it stopped.
    pub finish: Finish,
    /// What it is billed for.
    pub usage: TokenCount,
    /// The model as the provider names it.
    pub model: String,
    /// Which of the names in the version answered, the one its price is found under.
    pub answered_by: String,
    /// What that cost, in millionths of the unit of the version's prices, where a price is known.
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
    /// Which call.
    pub operation: OperationId,
    /// Why.
    pub error: Failure,
    /// When it is asked again; never, without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<DateTime<Utc>>,
    /// Whether nobody was asked, because whoever would be is left alone for a while: no try, then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unasked: bool,
    /// Whether the question is longer than whoever was asked reads, and is asked again once turns have left it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overflow: bool,
    /// What is billed all the same, where an answer came that is of no use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed: Option<Bill>,
}

/// What a provider bills for an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bill {
    /// Tokens, by class.
    pub usage: TokenCount,
    /// Whether that is a guess, the most it can have been, because the provider did not say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    /// Which of the names in the version answered, the one its price is found under.
    pub answered_by: String,
    /// What that cost, in millionths of the unit of the prices, where a price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_micros: Option<u64>,
    /// The price by which it cost that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<AppliedPrice>,
}

impl Bill {
    /// What it adds to what was used.
    #[must_use]
    pub fn spent(&self) -> Spent {
        Spent { usage: self.usage, cost_micros: self.cost_micros.unwrap_or_default() }
    }
}

impl ModelAnswered {
    /// What it is billed at.
    #[must_use]
    pub fn bill(&self) -> Bill {
        let Self { usage, estimated, cost_micros, .. } = *self;
        Bill { usage, estimated, answered_by: self.answered_by.clone(), cost_micros, price: self.price.clone() }
    }
}

impl RunEvent {
    /// What a provider bills for it, where it is an answer of a model, of use or not.
    #[must_use]
    pub fn bill(&self) -> Option<Bill> {
        match self {
            Self::ModelAnswered(answered) => Some(answered.bill()),
            Self::ModelFailed(failed) => failed.billed.clone(),
            _ => None,
        }
    }
}

/// A last answer breaks the agent's output schema; the model is told, once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerRejected {
    /// The turn whose answer it is.
    pub step: StepId,
    /// What is wrong with it.
    pub errors: Vec<String>,
}

/// What makes turns leave what the model sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaving {
    /// They are more than the agent's window takes.
    #[default]
    Window,
    /// A question was longer than whoever was asked reads.
    Overflow,
}

impl Leaving {
    const fn is_window(&self) -> bool {
        matches!(self, Self::Window)
    }
}

/// Why no summary stands for turns that left, although the agent wants one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unsummarised {
    /// It was cut off, also with more room.
    Truncated,
    /// The model, or a filter before it, declined to sum up.
    Refused,
    /// The model said nothing that could stand for them.
    Empty,
    /// The model could not be asked to.
    Failed,
}

/// Turns left what the model sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContextCompacted {
    /// First turn that left, from 1.
    pub from: u32,
    /// Last turn that left.
    pub through: u32,
    /// The model call whose answer sums them up, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<OperationId>,
    /// What made them leave.
    #[serde(default, skip_serializing_if = "Leaving::is_window")]
    pub cause: Leaving,
    /// Why nothing sums them up, although the agent wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsummarised: Option<Unsummarised>,
}

crate::first_version!(
    ModelCalled = "run.model_called",
    ModelFailed = "run.model_failed",
    AnswerRejected = "run.answer_rejected",
    ContextCompacted = "run.context_compacted",
);
