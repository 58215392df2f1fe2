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

/// The run repeats one that has ended: the same agent version on the same input, from the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRetried {
    /// Which run it repeats.
    pub of: RunId,
}

/// The run goes its own way from a step of another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunForked {
    /// From which run.
    pub from: RunId,
    /// How much of that run had happened when it was looked at.
    pub from_version: Version,
    /// The first step it takes itself.
    pub step: StepId,
}

/// A step is taken over from the run this one was forked from: it is not carried out, and costs nothing again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepTakenOver {
    /// Which step.
    pub step: StepId,
    /// What came of it there.
    pub result: TakenOver,
}

/// What came of a step in the run it is taken over from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "as", rename_all = "snake_case")]
pub enum TakenOver {
    /// Its condition did not hold.
    Skipped,
    /// It gave a value.
    Output {
        /// The value.
        #[serde(flatten, with = "super::value::output")]
        output: Value,
    },
    /// It ran once per element, or per call the model wanted.
    Elements {
        /// The elements; none for the calls of a model, whose answer holds them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        items: Vec<Json>,
        /// How each ended, in their order.
        ends: Vec<ElementEnd>,
    },
    /// A model answered.
    Answer {
        /// Which call of the other run.
        operation: OperationId,
        /// What it said.
        text: String,
        /// The calls it wanted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        calls: Vec<ToolCall>,
        /// Why it stopped.
        finish: Finish,
        /// The model as the provider names it.
        model: String,
        /// Which of the names in the version answered.
        answered_by: String,
        /// What its provider wants back word for word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        carry: Option<Json>,
    },
}

/// How one element of a step that is taken over ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ended", rename_all = "snake_case")]
pub enum ElementEnd {
    /// It gave a value.
    Succeeded {
        /// The value.
        #[serde(flatten, with = "super::value::output")]
        output: Value,
    },
    /// It failed, and the model was told.
    Failed {
        /// Why.
        error: Failure,
    },
}

impl ElementEnd {
    /// What it gave, where it gave anything.
    pub(super) const fn output(&self) -> Option<&Value> {
        match self {
            Self::Succeeded { output } => Some(output),
            Self::Failed { .. } => None,
        }
    }
}

crate::first_version!(RunRetried = "run.retried", RunForked = "run.forked", StepTakenOver = "run.step_taken_over",);
