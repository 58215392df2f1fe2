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

/// Somebody asked for the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunQueued {
    /// What was asked for.
    pub order: Order,
    /// When.
    pub at: DateTime<Utc>,
}

/// A worker took the run; whoever held it before has lost it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunClaimed {
    /// Grows with every change of hands; only the newest may add to the run.
    pub fence: u64,
    /// Which worker.
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

/// A step with `for_each` knows its elements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepExpanded {
    /// Which step.
    pub step: StepId,
    /// What it runs for, in order.
    pub items: Vec<Json>,
}

/// A step could not even begin: an expression failed, or a value is too large.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepFailed {
    /// Where.
    pub place: Place,
    /// Why.
    pub error: Failure,
}

/// A tool is about to be called; recorded before the call is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCalled {
    /// Where.
    pub place: Place,
    /// Never changes over retries.
    pub operation: OperationId,
    /// Which tool.
    pub tool: String,
    /// Whether it may be repeated.
    pub effect: Effect,
    /// Which try, from 1.
    pub attempt: u32,
    /// With what; recorded with the first try only, and not for builtin tools, whose arguments follow from the run.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub arguments: Json,
}

/// A tool answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSucceeded {
    /// Which call.
    pub operation: OperationId,
    /// What it answered.
    #[serde(flatten, with = "super::value::result")]
    pub result: Value,
}

/// A try of a call failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolFailed {
    /// Which call.
    pub operation: OperationId,
    /// Why.
    pub error: Failure,
    /// When it is tried again; never, without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<DateTime<Utc>>,
}

/// A call that must not be repeated blindly was made, and nobody knows what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeUnknown {
    /// Which call.
    pub operation: OperationId,
    /// What is known.
    pub error: Failure,
}

/// A person found out what became of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeSettled {
    /// Which call.
    pub operation: OperationId,
    /// What became of it.
    pub verdict: Verdict,
    /// Who says so.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Another agent is to run; its run begins in the same unit of work, under the operation's id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildRequested {
    /// Where.
    pub place: Place,
    /// Which call; also the id of the child run.
    pub operation: OperationId,
    /// Which agent.
    pub agent: AgentId,
    /// Which of its versions.
    pub agent_version: u32,
}

/// A child run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildEnded {
    /// Which call.
    pub operation: OperationId,
    /// How.
    pub end: ChildEnd,
    /// What it and the runs below it used of models; nothing where that was not recorded yet.
    #[serde(default, skip_serializing_if = "Spent::nothing")]
    pub spent: Spent,
}

/// Its worker has let go of the run, which waits, or goes on in other hands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunParked {
    /// Newer than the worker's, which is spent.
    pub fence: u64,
    /// What it waits for; nothing, where its worker was asked to stop and whoever is free goes on.
    pub waiting: Vec<Waiting>,
    /// When somebody looks again at the latest.
    pub until: DateTime<Utc>,
}

/// Somebody wants the run to stop; its worker has lost it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CancelRequested {
    /// Newer than the worker's, which is spent.
    pub fence: u64,
    /// Who.
    pub by: String,
    /// Why, for the record.
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

/// The run cannot go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFailed {
    /// Why.
    pub error: Failure,
    /// When.
    pub at: DateTime<Utc>,
}

/// The run stopped because somebody wanted it to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunCancelled {
    /// When.
    pub at: DateTime<Utc>,
}

/// The run was still going at its deadline.
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
        /// Somebody asked for it.
        Queued(RunQueued),
        /// It repeats another run.
        Retried(RunRetried),
        /// It goes its own way from a step of another run.
        Forked(RunForked),
        /// A step of the other run is taken over.
        StepTakenOver(StepTakenOver),
        /// A worker took it.
        Claimed(RunClaimed),
        /// A condition did not hold.
        StepSkipped(StepSkipped),
        /// The elements of a step are known.
        StepExpanded(StepExpanded),
        /// A step could not begin.
        StepFailed(StepFailed),
        /// A tool is about to be called.
        ToolCalled(ToolCalled),
        /// A tool answered.
        ToolSucceeded(ToolSucceeded),
        /// A try failed.
        ToolFailed(ToolFailed),
        /// Nobody knows what became of a call.
        OutcomeUnknown(OutcomeUnknown),
        /// A person found out.
        OutcomeSettled(OutcomeSettled),
        /// A person is asked.
        ApprovalRequested(ApprovalRequested),
        /// A person answered.
        ApprovalDecided(ApprovalDecided),
        /// Nobody answered in time.
        ApprovalExpired(ApprovalExpired),
        /// A model is about to be asked.
        ModelCalled(ModelCalled),
        /// A model answered.
        ModelAnswered(ModelAnswered),
        /// A model did not answer.
        ModelFailed(ModelFailed),
        /// A last answer breaks the output schema.
        AnswerRejected(AnswerRejected),
        /// Turns left what the model sees.
        ContextCompacted(ContextCompacted),
        /// Another agent is to run.
        ChildRequested(ChildRequested),
        /// The other agent's run ended.
        ChildEnded(ChildEnded),
        /// Its worker has let go of it.
        Parked(RunParked),
        /// Somebody wants it to stop.
        CancelRequested(CancelRequested),
        /// It returned a value.
        Completed(RunCompleted),
        /// It cannot go on.
        Failed(RunFailed),
        /// It stopped because somebody wanted it to.
        Cancelled(RunCancelled),
        /// It was still going at its deadline.
        Expired(RunExpired),
    }
}
