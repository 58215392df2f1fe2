use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};

use super::{
    allowance::Spent,
    model_event::ModelAnswered,
    value::{StoredResult, Value},
    values::Failure,
};
use crate::{
    conversation::Finish,
    kernel::{
        Json,
        ids::{ApprovalId, OperationId},
    },
    workflow::{Denial, Effect},
};

/// What a call is made to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callee {
    /// A tool, by name.
    Tool(String),
    /// A model, by `<provider>/<model>`.
    Model(String),
}

/// A call that is recorded but has no result yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Stays the same over retries.
    pub operation: OperationId,
    /// The tool or model.
    pub callee: Callee,
    /// Whether the call may be repeated.
    pub effect: Effect,
    /// Attempts begun so far, this one included.
    pub attempt: u32,
    /// How many of the attempts were not made, because the provider was in backoff.
    pub unasked: u32,
    /// Whether the prompt was already too long for the model once.
    pub overflowed: bool,
    /// Usage of attempts with unusable answers.
    pub wasted: Spent,
    /// The arguments.
    pub arguments: Arc<Json>,
}

impl Call {
    /// Attempts made so far, without those that were postponed.
    #[must_use]
    pub const fn tries(&self) -> u32 {
        self.attempt.saturating_sub(self.unasked)
    }
}

/// A call that is made only if a person approves it.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The tool's name.
    pub tool: String,
    /// The exact arguments.
    pub arguments: Arc<Json>,
}

/// State of one execution of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Unit {
    /// A call is in progress, or was when its worker vanished.
    Calling(Call),
    /// A call failed and will be retried.
    Backoff {
        /// The call.
        call: Call,
        /// When it is retried.
        until: DateTime<Utc>,
    },
    /// The outcome of a call is unknown.
    InDoubt(Call),
    /// A person is asked.
    Asking {
        /// The approval.
        approval: ApprovalId,
        /// What a denial means.
        on_deny: Denial,
        /// The call to be approved, if the question is about one.
        call: Option<Proposal>,
        /// When the question counts as denied.
        expires_at: Option<DateTime<Utc>>,
    },
    /// A person approved a call that has not been made yet.
    Approved(Proposal),
    /// A child run is in progress.
    Child {
        /// The call; also the id of the child run.
        operation: OperationId,
    },
    /// A model answered.
    Answered(Arc<ModelAnswered>),
    /// It succeeded.
    Succeeded(Value),
    /// It failed.
    Failed(Failure),
}

/// State of a step, once anything is recorded of it.
#[derive(Debug, Clone, PartialEq)]
pub enum StepState {
    /// Its condition did not hold.
    Skipped,
    /// It runs once.
    Once(Unit),
    /// It runs once per element.
    Each {
        /// The elements.
        items: Arc<Vec<Json>>,
        /// The executions that have begun.
        units: BTreeMap<u32, Unit>,
    },
}

impl StepState {
    /// Whether steps that need this one may begin.
    #[must_use]
    pub fn settled(&self) -> bool {
        match self {
            Self::Skipped | Self::Once(Unit::Succeeded(_) | Unit::Answered(_)) => true,
            Self::Once(_) => false,
            Self::Each { items, units } => {
                units.len() == items.len() && units.values().all(|unit| matches!(unit, Unit::Succeeded(_)))
            }
        }
    }

    /// Whether it has ended, successfully or not.
    #[must_use]
    pub fn over(&self) -> bool {
        match self {
            Self::Skipped => true,
            Self::Once(unit) => unit.over(),
            Self::Each { items, units } => units.len() == items.len() && units.values().all(Unit::over),
        }
    }

    /// The step's output, once it is settled: `null` if it was skipped, an array if it ran per element. Results stored
    /// beside the log are fetched through `stored`.
    #[must_use]
    pub fn output(&self, stored: &dyn Fn(&StoredResult) -> Json) -> Option<Json> {
        let done = |unit: &Unit| match unit {
            Unit::Succeeded(Value::Inline(output)) => Some(output.as_ref().clone()),
            Unit::Succeeded(Value::Stored(output)) => Some(stored(output)),
            Unit::Answered(answer) => Some(answer.output()),
            _ => None,
        };
        match self {
            Self::Skipped => Some(Json::Null),
            Self::Once(unit) => done(unit),
            Self::Each { items, units } if units.len() == items.len() => {
                units.values().map(done).collect::<Option<Vec<_>>>().map(Json::Array)
            }
            Self::Each { .. } => None,
        }
    }

    /// References to those of its results that are stored beside the log.
    pub fn stored(&self) -> impl Iterator<Item = &StoredResult> {
        self.units().filter_map(|(_, unit)| unit.stored())
    }

    /// Every execution that has begun, with its element's index.
    pub fn units(&self) -> impl Iterator<Item = (Option<u32>, &Unit)> {
        let (once, each) = match self {
            Self::Skipped => (None, None),
            Self::Once(unit) => (Some((None, unit)), None),
            Self::Each { units, .. } => (None, Some(units.iter().map(|(index, unit)| (Some(*index), unit)))),
        };
        once.into_iter().chain(each.into_iter().flatten())
    }
}

impl ModelAnswered {
    /// The answer as a step's output: `{text, calls, finish}`.
    #[must_use]
    pub fn output(&self) -> Json {
        let object = |members: Vec<(&str, Json)>| -> Json {
            members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
        };
        let calls = self.calls.iter().map(|call| {
            let (id, name) = (call.id.clone().into(), call.name.clone().into());
            object(vec![("id", id), ("name", name), ("arguments", call.arguments.clone())])
        });
        let finish = match self.finish {
            Finish::Stop => "stop",
            Finish::ToolCalls => "tool_calls",
            Finish::Length => "length",
            Finish::Refused => "refused",
        };
        let calls = Json::Array(calls.collect());
        object(vec![("text", self.text.clone().into()), ("calls", calls), ("finish", finish.into())])
    }
}
