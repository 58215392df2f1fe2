use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    allowance::Spent,
    approval_event::{ApprovalDecided, ApprovalExpired, ApprovalRequested},
    fork_event::{RunForked, RunRetried, StepTakenOver},
    model_event::{AnswerRejected, ContextCompacted, ModelAnswered, ModelCalled, ModelFailed},
    value::Value,
    values::{ChildEnd, Failure, Order, Place, Verdict, Waiting},
};
use crate::{
    kernel::{
        Json,
        ids::{AgentId, OperationId},
    },
    workflow::{Effect, StepId},
};

/// The run was requested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunQueued {
    /// The request.
    pub order: Order,
    /// When.
    pub at: DateTime<Utc>,
}

/// A worker claimed the run; the previous holder has lost it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunClaimed {
    /// Grows with every change of holder; only the newest fence may append to the run.
    pub fence: u64,
    /// The worker.
    pub worker: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A step's condition did not hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepSkipped {
    /// Which step.
    pub step: StepId,
}

/// The elements of a step with `for_each` are known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepExpanded {
    /// The step.
    pub step: StepId,
    /// The elements, in order.
    pub items: Vec<Json>,
}

/// A step could not begin: an expression failed, or a value is too large.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepFailed {
    /// Where in the run.
    pub place: Place,
    /// The reason.
    pub error: Failure,
}

/// A tool is about to be called; recorded before the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCalled {
    /// Where in the run.
    pub place: Place,
    /// Stays the same over retries.
    pub operation: OperationId,
    /// The tool's name.
    pub tool: String,
    /// Whether the call may be repeated.
    pub effect: Effect,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// The arguments; only with the first attempt, and not for builtin tools, whose arguments follow from the run.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub arguments: Json,
}

/// A tool returned a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSucceeded {
    /// The call.
    pub operation: OperationId,
    /// The result.
    #[serde(flatten, with = "super::value::result")]
    pub result: Value,
}

/// An attempt of a call failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolFailed {
    /// The call.
    pub operation: OperationId,
    /// The reason.
    pub error: Failure,
    /// When it is retried; `None` if never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<DateTime<Utc>>,
}

/// The outcome of a call that must not be repeated blindly is unknown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeUnknown {
    /// The call.
    pub operation: OperationId,
    /// What is known.
    pub error: Failure,
}

/// A person recorded the outcome of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeSettled {
    /// The call.
    pub operation: OperationId,
    /// The outcome.
    pub verdict: Verdict,
    /// Who recorded it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A child run is requested; it begins in the same unit of work, with the operation's id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildRequested {
    /// Where in the run.
    pub place: Place,
    /// The call; also the id of the child run.
    pub operation: OperationId,
    /// The agent.
    pub agent: AgentId,
    /// The agent's version.
    pub agent_version: u32,
}

/// A child run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildEnded {
    /// The call.
    pub operation: OperationId,
    /// How it ended.
    pub end: ChildEnd,
    /// Model usage of the child and its descendants; zero in events that predate it.
    #[serde(default, skip_serializing_if = "Spent::nothing")]
    pub spent: Spent,
}

/// The worker released the run, which waits or is continued by another worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunParked {
    /// Newer than the worker's fence, which thereby expires.
    pub fence: u64,
    /// What the run waits for; empty if its worker was asked to stop and any free worker may continue it.
    pub waiting: Vec<Waiting>,
    /// When to look at the run again at the latest.
    pub until: DateTime<Utc>,
}

/// Cancellation was requested; the worker has lost the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CancelRequested {
    /// Newer than the worker's fence, which thereby expires.
    pub fence: u64,
    /// Who requested it.
    pub by: String,
    /// The reason, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// The run returned a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunCompleted {
    /// The value.
    #[serde(flatten, with = "super::value::output")]
    pub output: Value,
    /// When.
    pub at: DateTime<Utc>,
}

/// The run failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFailed {
    /// The reason.
    pub error: Failure,
    /// When.
    pub at: DateTime<Utc>,
}

/// The run was cancelled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunCancelled {
    /// When.
    pub at: DateTime<Utc>,
}

/// The run was still in progress at its deadline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunExpired {
    /// When.
    pub at: DateTime<Utc>,
}

crate::first_version!(
    RunQueued = "run.queued",
    RunClaimed = "run.claimed",
    StepSkipped = "run.step_skipped",
    StepExpanded = "run.step_expanded",
    StepFailed = "run.step_failed",
    ToolCalled = "run.tool_called",
    ToolSucceeded = "run.tool_succeeded",
    ToolFailed = "run.tool_failed",
    OutcomeUnknown = "run.outcome_unknown",
    OutcomeSettled = "run.outcome_settled",
    ChildRequested = "run.child_requested",
    ChildEnded = "run.child_ended",
    RunParked = "run.parked",
    CancelRequested = "run.cancel_requested",
    RunCompleted = "run.completed",
    RunFailed = "run.failed",
    RunCancelled = "run.cancelled",
    RunExpired = "run.expired",
);

crate::event_set! {
    /// What can happen to a run.
    pub enum RunEvent {
        /// It was requested.
        Queued(RunQueued),
        /// It repeats another run.
        Retried(RunRetried),
        /// It continues from a step of another run.
        Forked(RunForked),
        /// The result of a step was taken over from the other run.
        StepTakenOver(StepTakenOver),
        /// A worker claimed it.
        Claimed(RunClaimed),
        /// A condition did not hold.
        StepSkipped(StepSkipped),
        /// The elements of a step are known.
        StepExpanded(StepExpanded),
        /// A step could not begin.
        StepFailed(StepFailed),
        /// A tool is about to be called.
        ToolCalled(ToolCalled),
        /// A tool returned a result.
        ToolSucceeded(ToolSucceeded),
        /// An attempt failed.
        ToolFailed(ToolFailed),
        /// The outcome of a call is unknown.
        OutcomeUnknown(OutcomeUnknown),
        /// A person recorded the outcome of a call.
        OutcomeSettled(OutcomeSettled),
        /// A person is asked.
        ApprovalRequested(ApprovalRequested),
        /// A person answered.
        ApprovalDecided(ApprovalDecided),
        /// A question expired.
        ApprovalExpired(ApprovalExpired),
        /// A model is about to be called.
        ModelCalled(ModelCalled),
        /// A model answered.
        ModelAnswered(ModelAnswered),
        /// A model did not answer.
        ModelFailed(ModelFailed),
        /// A final answer does not match the output schema.
        AnswerRejected(AnswerRejected),
        /// Turns were removed from what the model sees.
        ContextCompacted(ContextCompacted),
        /// A child run was requested.
        ChildRequested(ChildRequested),
        /// A child run ended.
        ChildEnded(ChildEnded),
        /// Its worker released it.
        Parked(RunParked),
        /// Cancellation was requested.
        CancelRequested(CancelRequested),
        /// It returned a value.
        Completed(RunCompleted),
        /// It failed.
        Failed(RunFailed),
        /// It was cancelled.
        Cancelled(RunCancelled),
        /// It was still in progress at its deadline.
        Expired(RunExpired),
    }
}
