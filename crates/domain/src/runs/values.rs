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

/// Which runs are taken first when not all can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// After all others.
    Low,
    /// As they come.
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
    /// Which step.
    pub step: StepId,
    /// Which element, where the step has `for_each`.
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

/// Why something did not work, for the author of the workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable code, for example `tool.http_status`.
    pub code: String,
    /// Prose.
    pub message: String,
    /// Where it happened, where it happened at a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

impl Failure {
    /// A failure that belongs to no step yet.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), place: None }
    }

    /// The same failure, at a place.
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
    /// A point in time: the next try of a call.
    Timer,
    /// A person's word on a call whose outcome nobody knows.
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

    /// Reads the name used on the wire and in the database.
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

/// Arguments a person wants a call made with instead of those they were asked about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// They.
    pub arguments: Json,
    /// SHA-256 of their JSON text, members in order of their names, in hexadecimal.
    pub arguments_hash: String,
}

/// What a person says to a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decided<'a> {
    /// The answer.
    pub choice: Choice,
    /// Arguments to call with instead.
    pub edit: Option<&'a Edit>,
    /// Why, for the record.
    pub reason: Option<&'a str>,
    /// Who.
    pub by: &'a str,
}

/// What a person found out about a call whose outcome was unknown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It had its effect; this is its result.
    Succeeded {
        /// The result later steps see.
        #[serde(flatten, with = "super::value::result")]
        result: Value,
    },
    /// It had no effect and shall not have one.
    Failed {
        /// Why, for the record.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// It had no effect; make it again.
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
        /// Why.
        error: Failure,
    },
}

/// The run and the call a child run belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The run that waits for it.
    pub run: RunId,
    /// The call within that run; also the child run's own id.
    pub operation: OperationId,
}

/// The run that another one was made from; it is not touched by that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The run repeats one that has ended.
    Retry {
        /// Which.
        of: RunId,
    },
    /// The run goes its own way from a step of another.
    Fork {
        /// Of which.
        from: RunId,
        /// The first step it takes itself.
        step: StepId,
    },
}

/// What is asked for when a run is started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Which agent.
    pub agent: AgentId,
    /// Which of its versions.
    pub agent_version: u32,
    /// The project it belongs to.
    pub project: ProjectId,
    /// Which run waits for it, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// How many runs are above it.
    #[serde(default)]
    pub depth: u8,
    /// Agents of the runs above it, each once; their budgets count what it uses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<AgentId>,
    /// What the runs above it leave it, and the runs below it, to use of models.
    #[serde(default, skip_serializing_if = "Allowance::unlimited")]
    pub allowance: Allowance,
    /// What it works on.
    pub input: Json,
    /// How urgent it is.
    #[serde(default)]
    pub priority: Priority,
    /// When it ends at the latest.
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
