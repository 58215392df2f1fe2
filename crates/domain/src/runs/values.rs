use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{allowance::Allowance, value::Value};
use crate::{
    kernel::{
        Json,
        ids::{AgentId, OperationId, ProjectId, RunId},
    },
    workflow::StepId,
};

/// The order in which runs are claimed when not all of them can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// After all others.
    Low,
    /// In the order of their arrival.
    #[default]
    Normal,
    /// Before all others.
    High,
}

impl Priority {
    /// All of them, the least urgent first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Normal, Self::High];

    /// The name used on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// One execution within a run: a step, or one element of a step with `for_each`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The step.
    pub step: StepId,
    /// The element's index, if the step has `for_each`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
}

impl Place {
    /// A step that runs once.
    #[must_use]
    pub fn step(step: &str) -> Self {
        Self { step: step.to_owned(), index: None }
    }

    /// One element of a step with `for_each`.
    #[must_use]
    pub fn element(step: &str, index: u32) -> Self {
        Self { step: step.to_owned(), index: Some(index) }
    }
}

/// Why something failed, for the author of the workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable code, for example `tool.http_status`.
    pub code: String,
    /// Explanation in prose.
    pub message: String,
    /// The step at which it happened, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

impl Failure {
    /// A failure without a place.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), place: None }
    }

    /// The same failure with a place.
    #[must_use]
    pub fn at(&self, place: &Place) -> Self {
        Self { place: Some(place.clone()), ..self.clone() }
    }
}

/// What a waiting run waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// A person's decision.
    Approval,
    /// A point in time: the next attempt of a call.
    Timer,
    /// A person's verdict on a call whose outcome is unknown.
    Reconcile,
    /// The end of a child run.
    Child,
}

impl Waiting {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Approval, Self::Timer, Self::Reconcile, Self::Child];

    /// The name used on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::Timer => "timer",
            Self::Reconcile => "reconcile",
            Self::Child => "child",
        }
    }

    /// Parses the name used on the wire and in the database.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|waiting| waiting.as_str() == name)
    }
}

/// What a person decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Go on.
    Approve,
    /// Do not.
    Deny,
}

/// Arguments that a person edited before approving a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// The edited arguments.
    pub arguments: Json,
    /// SHA-256 of their JSON text, members in order of their names, in hexadecimal.
    pub arguments_hash: String,
}

/// A person's answer to a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decided<'a> {
    /// The answer.
    pub choice: Choice,
    /// Edited arguments to call with instead.
    pub edit: Option<&'a Edit>,
    /// The reason, for the record.
    pub reason: Option<&'a str>,
    /// Who answered.
    pub by: &'a str,
}

/// A person's verdict on a call whose outcome was unknown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It had its effect; this is its result.
    Succeeded {
        /// The result later steps see.
        #[serde(flatten, with = "super::value::result")]
        result: Value,
    },
    /// It had no effect and must not be repeated.
    Failed {
        /// The reason, for the record.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// It had no effect; repeat it.
    Retry,
}

/// How a child run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ended", rename_all = "snake_case")]
pub enum ChildEnd {
    /// It returned a value.
    Completed {
        /// The value.
        #[serde(flatten, with = "super::value::output")]
        output: Value,
    },
    /// It failed, was cancelled or expired.
    Failed {
        /// The reason.
        error: Failure,
    },
}

/// The run and the call that a child run belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The parent run.
    pub run: RunId,
    /// The call in the parent run; also the child run's id.
    pub operation: OperationId,
}

/// The run that another one was made from; it stays unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The run repeats one that has ended.
    Retry {
        /// The repeated run.
        of: RunId,
    },
    /// The run continues from a step of another run.
    Fork {
        /// The other run.
        from: RunId,
        /// The first step that the fork executes itself.
        step: StepId,
    },
}

/// The request that starts a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The agent.
    pub agent: AgentId,
    /// The agent's version.
    pub agent_version: u32,
    /// The project it belongs to.
    pub project: ProjectId,
    /// The parent run and call, if it is a child run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// Number of ancestors.
    #[serde(default)]
    pub depth: u8,
    /// Agents of its ancestors, each once; its usage counts towards their budgets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<AgentId>,
    /// The limits on model usage that its ancestors leave to it and its descendants.
    #[serde(default, skip_serializing_if = "Allowance::unlimited")]
    pub allowance: Allowance,
    /// The input.
    pub input: Json,
    /// How urgent it is.
    #[serde(default)]
    pub priority: Priority,
    /// When it expires.
    pub deadline: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::{Priority, Waiting};

    #[test]
    fn priorities_are_named_as_in_events() {
        let stored = Priority::ALL.map(|priority| serde_json::to_value(priority).unwrap());
        assert_eq!(stored, Priority::ALL.map(Priority::as_str));
    }

    #[test]
    fn what_a_run_waits_for_is_named_as_in_events() {
        let stored = Waiting::ALL.map(|waiting| serde_json::to_value(waiting).unwrap());
        assert_eq!(stored, Waiting::ALL.map(Waiting::as_str));
    }
}
