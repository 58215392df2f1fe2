use serde::{Deserialize, Serialize};

use super::{value::Value, values::Failure};
use crate::{
    conversation::{Finish, ToolCall},
    kernel::{
        Json, Version,
        ids::{OperationId, RunId},
    },
    workflow::StepId,
};

/// The run repeats one that has ended: the same agent version and input, from the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRetried {
    /// The run it repeats.
    pub of: RunId,
}

/// The run continues from a step of another run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunForked {
    /// The other run.
    pub from: RunId,
    /// Version of the other run when it was read.
    pub from_version: Version,
    /// The first step that this run executes itself.
    pub step: StepId,
}

/// A step's result is taken over from the run this one was forked from; it is not executed or billed again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepTakenOver {
    /// The step.
    pub step: StepId,
    /// Its result in the other run.
    pub result: TakenOver,
}

/// The result of a step in the run it is taken over from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "as", rename_all = "snake_case")]
pub enum TakenOver {
    /// Its condition did not hold.
    Skipped,
    /// It returned a value.
    Output {
        /// The value.
        #[serde(flatten, with = "super::value::output")]
        output: Value,
    },
    /// It ran once per element, or per call the model requested.
    Elements {
        /// The elements; empty for the calls of a model, because its answer contains them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        items: Vec<Json>,
        /// How each ended, in the same order.
        ends: Vec<ElementEnd>,
    },
    /// A model answered.
    Answer {
        /// The call in the other run.
        operation: OperationId,
        /// The text of the answer.
        text: String,
        /// The calls it requested.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        calls: Vec<ToolCall>,
        /// Why the model stopped.
        finish: Finish,
        /// The provider's name of the model.
        model: String,
        /// The model among those of the version that answered.
        answered_by: String,
        /// Data that the provider expects back verbatim.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        carry: Option<Json>,
    },
}

/// How one element of a step that is taken over ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ended", rename_all = "snake_case")]
pub enum ElementEnd {
    /// It returned a value.
    Succeeded {
        /// The value.
        #[serde(flatten, with = "super::value::output")]
        output: Value,
    },
    /// It failed, and the error was passed to the model.
    Failed {
        /// The reason.
        error: Failure,
    },
}

impl ElementEnd {
    /// Its value, if it succeeded.
    pub(super) const fn output(&self) -> Option<&Value> {
        match self {
            Self::Succeeded { output } => Some(output),
            Self::Failed { .. } => None,
        }
    }
}

crate::first_version!(RunRetried = "run.retried", RunForked = "run.forked", StepTakenOver = "run.step_taken_over",);
