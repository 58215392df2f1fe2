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

/// A call whose intent is recorded and whose result is not.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Never changes over retries.
    pub operation: OperationId,
    /// To whom.
    pub callee: Callee,
    /// Whether it may be repeated.
    pub effect: Effect,
    /// Tries begun so far, this one included.
    pub attempt: u32,
    /// How many of them asked nobody.
    pub unasked: u32,
    /// Whether it was too long for whoever was asked, once already.
    pub overflowed: bool,
    /// What tries used whose answers were of no use.
    pub wasted: Spent,
    /// With what.
    pub arguments: Arc<Json>,
}

impl Call {
    /// Tries made so far, this one included, if it asks somebody.
    #[must_use]
    pub const fn tries(&self) -> u32 {
        self.attempt.saturating_sub(self.unasked)
    }
}

/// A call that is made only if a person approves.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Which tool.
    pub tool: String,
    /// With exactly what.
    pub arguments: Arc<Json>,
}

/// How far one execution of a step has come.
#[derive(Debug, Clone, PartialEq)]
pub enum Unit {
    /// A call is under way, or was when its worker vanished.
    Calling(Call),
    /// A call failed and is made again.
    Backoff {
        /// The call.
        call: Call,
        /// When.
        until: DateTime<Utc>,
    },
    /// Nobody knows what became of a call.
    InDoubt(Call),
    /// A person is asked.
    Asking {
        /// Which question.
        approval: ApprovalId,
        /// What a denial means.
        on_deny: Denial,
        /// The call it is about, where it is about one.
        call: Option<Proposal>,
        /// When it counts as denied.
        expires_at: Option<DateTime<Utc>>,
    },
    /// A person approved of a call, which has not been made.
    Approved(Proposal),
    /// Another agent runs.
    Child {
        /// Which call; also the child run's id.
        operation: OperationId,
    },
    /// A model answered.
    Answered(Arc<ModelAnswered>),
    /// Done.
    Succeeded(Value),
    /// Over.
    Failed(Failure),
}

/// How far a step has come, once anything is recorded of it.
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
        /// Those that have begun.
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

    /// Whether nothing more will come of it, well or badly.
    #[must_use]
    pub fn over(&self) -> bool {
        match self {
            Self::Skipped => true,
            Self::Once(unit) => unit.over(),
            Self::Each { items, units } => units.len() == items.len() && units.values().all(Unit::over),
        }
    }

    /// The step's output, once it is settled: `null` where it was skipped, an array where it ran per element. What is
    /// kept beside the log is taken from `stored`.
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

    /// What of its output is kept beside the log.
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
