//! What a worker reports about a run.

use chrono::{DateTime, Utc};

use super::{
    approval_event::ProposedCall,
    model_event::{Bill, Leaving, Unsummarised},
    value::Value,
    values::{Failure, Place},
};
use crate::{
    conversation::{AppliedPrice, Finish, TokenCount, ToolCall},
    kernel::{
        Json,
        ids::{AgentId, ApprovalId, OperationId},
    },
    workflow::{Denial, Effect, StepId},
};

/// One report of a worker.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A step's condition does not hold.
    Skip {
        /// The step.
        step: StepId,
    },
    /// The elements of a step with `for_each` are known.
    Expand {
        /// The step.
        step: StepId,
        /// The elements.
        items: Vec<Json>,
    },
    /// An execution cannot begin.
    Unable {
        /// Where in the run.
        place: Place,
        /// The reason.
        error: Failure,
    },
    /// A tool is about to be called.
    Call {
        /// Where in the run.
        place: Place,
        /// The call's id.
        operation: OperationId,
        /// The tool's name.
        tool: String,
        /// Whether the call may be repeated.
        effect: Effect,
        /// The arguments.
        arguments: Json,
    },
    /// A call is about to be repeated under its old id.
    Again {
        /// The call.
        operation: OperationId,
    },
    /// A call returned a result.
    Answer {
        /// The call.
        operation: OperationId,
        /// The result.
        result: Value,
    },
    /// An attempt of a call failed.
    Fail {
        /// The call.
        operation: OperationId,
        /// The reason.
        error: Failure,
        /// When it is retried; `None` if never.
        retry_at: Option<DateTime<Utc>>,
    },
    /// A model returned an unusable answer that is billed.
    Waste {
        /// The call.
        operation: OperationId,
        /// Why it is unusable.
        error: Failure,
        /// When it is retried; `None` if never.
        retry_at: Option<DateTime<Utc>>,
        /// What is billed.
        billed: Bill,
    },
    /// The provider is in backoff, so the attempt was not made and does not count.
    Postpone {
        /// The call.
        operation: OperationId,
        /// The reason.
        error: Failure,
        /// When it is tried again.
        retry_at: DateTime<Utc>,
    },
    /// A prompt exceeds the model's context window; it is sent again after compaction.
    Overflow {
        /// The call.
        operation: OperationId,
        /// The provider's error.
        error: Failure,
        /// When the error was returned.
        at: DateTime<Utc>,
    },
    /// The outcome of a call is unknown.
    Lose {
        /// The call.
        operation: OperationId,
        /// What is known.
        error: Failure,
    },
    /// A person has to be asked.
    Ask {
        /// Where in the run.
        place: Place,
        /// The approval.
        approval: ApprovalId,
        /// The question.
        prompt: String,
        /// What to look at before answering.
        data: Json,
        /// What a denial means.
        on_deny: Denial,
        /// The call to be approved, if the question is about one.
        call: Option<ProposedCall>,
        /// When the question counts as denied.
        expires_at: Option<DateTime<Utc>>,
        /// When it is asked.
        at: DateTime<Utc>,
    },
    /// A child run is started.
    Delegate {
        /// Where in the run.
        place: Place,
        /// The call; also the id of the child run.
        operation: OperationId,
        /// The agent.
        agent: AgentId,
        /// The agent's version.
        agent_version: u32,
    },
    /// A question expired.
    Expire {
        /// The approval.
        approval: ApprovalId,
        /// When.
        at: DateTime<Utc>,
    },
    /// A model is about to be called.
    Prompt {
        /// Where in the run.
        place: Place,
        /// The call's id.
        operation: OperationId,
        /// The model: `<provider>/<model>`.
        model: String,
    },
    /// A model answered.
    Reply {
        /// The call.
        operation: OperationId,
        /// The answer.
        reply: Reply,
    },
    /// A final answer does not match the output schema; the errors are passed to the model.
    Reject {
        /// The turn of the answer.
        step: StepId,
        /// The validation errors.
        errors: Vec<String>,
    },
    /// Turns are removed from what the model sees.
    Compact {
        /// First removed turn, from 1.
        from: u32,
        /// Last removed turn.
        through: u32,
        /// The model call whose answer summarises them.
        summary: Option<OperationId>,
        /// Why they are removed.
        cause: Leaving,
        /// Why there is no summary, although the agent asks for one.
        unsummarised: Option<Unsummarised>,
    },
}

/// A model's answer, as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The text of the answer.
    pub text: String,
    /// The calls it requests.
    pub calls: Vec<ToolCall>,
    /// Why the model stopped.
    pub finish: Finish,
    /// The tokens that are billed.
    pub usage: TokenCount,
    /// Whether `usage` is an upper estimate, because the provider did not report it.
    pub estimated: bool,
    /// The provider's name of the model.
    pub model: String,
    /// The model among those of the version that answered.
    pub answered_by: String,
    /// The price to apply, if one is known.
    pub price: Option<AppliedPrice>,
    /// Data that the provider expects back verbatim.
    pub carry: Option<Json>,
}
