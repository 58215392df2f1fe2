//! What a worker reports.

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

/// One thing a worker found or did.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A step's condition does not hold.
    Skip {
        /// Which step.
        step: StepId,
    },
    /// A step with `for_each` knows its elements.
    Expand {
        /// Which step.
        step: StepId,
        /// They.
        items: Vec<Json>,
    },
    /// An execution cannot begin.
    Unable {
        /// Where.
        place: Place,
        /// Why.
        error: Failure,
    },
    /// A tool will be called next.
    Call {
        /// Where.
        place: Place,
        /// Under which id.
        operation: OperationId,
        /// Which tool.
        tool: String,
        /// Whether it may be repeated.
        effect: Effect,
        /// With what.
        arguments: Json,
    },
    /// A call will be made again under its old id.
    Again {
        /// Which call.
        operation: OperationId,
    },
    /// A call answered.
    Answer {
        /// Which call.
        operation: OperationId,
        /// What.
        result: Value,
    },
    /// A try of a call failed.
    Fail {
        /// Which call.
        operation: OperationId,
        /// Why.
        error: Failure,
        /// When it is tried again; never, without.
        retry_at: Option<DateTime<Utc>>,
    },
    /// A model gave an answer that is of no use, and bills it.
    Waste {
        /// Which call.
        operation: OperationId,
        /// Why it is of no use.
        error: Failure,
        /// When it is asked again; never, without.
        retry_at: Option<DateTime<Utc>>,
        /// What is billed.
        billed: Bill,
    },
    /// Whoever would be asked is left alone for a while, so that a try was none.
    Postpone {
        /// Which call.
        operation: OperationId,
        /// Why.
        error: Failure,
        /// When it is tried again.
        retry_at: DateTime<Utc>,
    },
    /// A question is longer than whoever was asked reads; it is asked again once turns have left it.
    Overflow {
        /// Which call.
        operation: OperationId,
        /// What was said about it.
        error: Failure,
        /// When it was said.
        at: DateTime<Utc>,
    },
    /// Nobody knows what became of a call.
    Lose {
        /// Which call.
        operation: OperationId,
        /// What is known.
        error: Failure,
    },
    /// A person has to be asked.
    Ask {
        /// Where.
        place: Place,
        /// Which question.
        approval: ApprovalId,
        /// The question.
        prompt: String,
        /// What to look at.
        data: Json,
        /// What a denial means.
        on_deny: Denial,
        /// The call it is about, where it is about one.
        call: Option<ProposedCall>,
        /// When it counts as denied.
        expires_at: Option<DateTime<Utc>>,
        /// When.
        at: DateTime<Utc>,
    },
    /// Another agent runs.
    Delegate {
        /// Where.
        place: Place,
        /// Under which id.
        operation: OperationId,
        /// Which agent.
        agent: AgentId,
        /// Which of its versions.
        agent_version: u32,
    },
    /// Nobody answered a question in time.
    Expire {
        /// Which question.
        approval: ApprovalId,
        /// When.
        at: DateTime<Utc>,
    },
    /// A model will be asked next.
    Prompt {
        /// Where.
        place: Place,
        /// Under which id.
        operation: OperationId,
        /// Which model.
        model: String,
    },
    /// A model answered.
    Reply {
        /// Which call.
        operation: OperationId,
        /// What it said and wants.
        reply: Reply,
    },
    /// A last answer breaks the output schema; the model is told.
    Reject {
        /// The turn whose answer it is.
        step: StepId,
        /// What is wrong with it.
        errors: Vec<String>,
    },
    /// Turns leave what the model sees.
    Compact {
        /// The first, from 1.
        from: u32,
        /// The last.
        through: u32,
        /// The model call whose answer sums them up.
        summary: Option<OperationId>,
        /// What makes them leave.
        cause: Leaving,
        /// Why nothing sums them up, although the agent wants it.
        unsummarised: Option<Unsummarised>,
    },
}

/// What a model answered, for the record.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// What it said.
    pub text: String,
    /// The calls it wants.
    pub calls: Vec<ToolCall>,
    /// Why it stopped.
    pub finish: Finish,
    /// What it is billed for.
    pub usage: TokenCount,
    /// Whether that is a guess, because the provider did not say.
    pub estimated: bool,
    /// The model as the provider names it.
    pub model: String,
    /// Which of the names in the version answered.
    pub answered_by: String,
    /// The price it is answered at, where one is known.
    pub price: Option<AppliedPrice>,
    /// What its provider wants back word for word.
    pub carry: Option<Json>,
}
