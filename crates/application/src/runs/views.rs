use chrono::{DateTime, Utc};
use devskyy_domain::{
    conversation::AppliedPrice,
    kernel::{
        Json, Version,
        ids::{AgentId, ApprovalId, OperationId, ProjectId, RunId},
    },
    runs::{Bill, Choice, Edit, Failure, Origin, Phase, Place, Priority, ProposedCall, StoredResult, Waiting},
};

use super::{doubts::DoubtView, usage::ModelUse};

/// Tokens by class.
pub use devskyy_domain::conversation::TokenCount;

/// The state of a run in views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunStatus {
    /// No worker has claimed it yet.
    Queued,
    /// A worker holds it, or any worker may claim it at once.
    Running,
    /// It is blocked.
    Waiting,
    /// It is being cancelled.
    Cancelling,
    /// It returned a value.
    Completed,
    /// It failed.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// Its deadline passed.
    Expired,
}

impl RunStatus {
    /// All of them, in the order of a run's life.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Running,
        Self::Waiting,
        Self::Cancelling,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// Its name in responses and filters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Cancelling => "cancelling",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// The status with that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether the run has ended.
    #[must_use]
    pub const fn ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled | Self::Expired)
    }

    /// The status of a phase.
    #[must_use]
    pub const fn of(phase: &Phase) -> Self {
        match phase {
            Phase::Unknown | Phase::Queued => Self::Queued,
            Phase::Running => Self::Running,
            Phase::Waiting(_) => Self::Waiting,
            Phase::Cancelling => Self::Cancelling,
            Phase::Completed => Self::Completed,
            Phase::Failed(_) => Self::Failed,
            Phase::Cancelled => Self::Cancelled,
            Phase::Expired => Self::Expired,
        }
    }
}

/// A run in lists.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    /// The run.
    pub id: RunId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The agent.
    pub agent_id: AgentId,
    /// The agent's version.
    pub agent_version: u32,
    /// Its state.
    pub status: RunStatus,
    /// What it waits for, while it waits.
    pub waiting_for: Vec<Waiting>,
    /// Its priority.
    pub priority: Priority,
    /// Why it failed, if it did.
    pub error: Option<Failure>,
    /// Its parent run, if any.
    pub parent_run_id: Option<RunId>,
    /// The run it was made from, if any.
    pub origin: Option<Origin>,
    /// Tokens billed for its own model calls, without child runs; at most 10^15 per class.
    pub tokens: TokenCount,
    /// Cost in millionths of the price currency's unit; `None` if no price is known.
    pub cost_micros: Option<u64>,
    /// Who requested it: `user:<id>` or `system:<name>`.
    pub requested_by: String,
    /// When it expires.
    pub deadline: DateTime<Utc>,
    /// When it was requested.
    pub created_at: DateTime<Utc>,
    /// When a worker first claimed it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Its version, which is also its `ETag`.
    pub version: Version,
}

impl RunSummary {
    /// Adds the usage of an answer.
    pub(super) fn use_up(&mut self, bill: &Bill) {
        let so_far =
            ModelUse { tokens: self.tokens, cost_micros: self.cost_micros.unwrap_or_default(), ..ModelUse::default() };
        let used = so_far.plus(&ModelUse::of(bill)).held();
        self.tokens = used.tokens;
        if bill.cost_micros.is_some() {
            self.cost_micros = Some(used.cost_micros);
        }
    }
}

/// The state of a step, or of one of its elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStatus {
    /// It has not begun.
    Pending,
    /// It is being executed.
    Running,
    /// It waits for a person, a child run or its next attempt.
    Waiting,
    /// The outcome of its call is unknown; it waits for a person's verdict.
    InDoubt,
    /// It succeeded.
    Succeeded,
    /// Its condition did not hold.
    Skipped,
    /// It failed.
    Failed,
    /// The run ended before it did.
    Abandoned,
}

impl StepStatus {
    /// Its name in responses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::InDoubt => "in_doubt",
            Self::Succeeded => "succeeded",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }
}

/// One execution of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionView {
    /// The element's index, if the step has `for_each`.
    pub index: Option<u32>,
    /// Its state.
    pub status: StepStatus,
    /// Whether it was not executed here but taken over from the run this one was forked from.
    pub taken_over: bool,
    /// The tool it calls, if the model chose it.
    pub tool: Option<String>,
    /// The model it calls.
    pub model: Option<String>,
    /// Tokens billed for it, if it called a model.
    pub tokens: Option<TokenCount>,
    /// Their cost in millionths of the price currency's unit.
    pub cost_micros: Option<u64>,
    /// The price that was applied when the model answered.
    pub price: Option<AppliedPrice>,
    /// Attempts of its call.
    pub attempts: u32,
    /// The id of its call, to which a verdict is addressed.
    pub operation_id: Option<OperationId>,
    /// Its approval.
    pub approval: Option<ApprovalView>,
    /// Its child run.
    pub child_run_id: Option<RunId>,
    /// Reference to its result, if that is too large to be shown here.
    pub output_stored: Option<StoredResult>,
    /// Why it failed, or why its last attempt did.
    pub error: Option<Failure>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Default for ExecutionView {
    fn default() -> Self {
        Self {
            index: None,
            status: StepStatus::Pending,
            taken_over: false,
            tool: None,
            model: None,
            tokens: None,
            cost_micros: None,
            price: None,
            attempts: 0,
            operation_id: None,
            approval: None,
            child_run_id: None,
            output_stored: None,
            error: None,
            started_at: None,
            ended_at: None,
        }
    }
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StepView {
    /// Its name.
    pub id: String,
    /// Its kind: `tool`, `agent` or `approval`; in a run of an assistant `model`, `tools` or `summary`.
    pub kind: &'static str,
    /// Its output, once it is settled; `null` for a result that is stored beside the log.
    pub output: Option<Json>,
    /// Its execution, all elements together.
    pub execution: ExecutionView,
    /// The execution of each element, if the step has `for_each` and its elements are known.
    pub elements: Option<Vec<ExecutionView>>,
}

/// The resource usage of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunUsage {
    /// Executions, skips and questions begun; the step limit applies to it.
    pub steps: u32,
    /// Tool calls, including retries.
    pub calls: u32,
    /// Calls that were repeated.
    pub retries: u32,
    /// Questions asked.
    pub approvals: u32,
    /// Child runs.
    pub children: u32,
    /// Model calls, including retries.
    pub model_calls: u32,
    /// Tokens billed for them.
    pub tokens: TokenCount,
    /// Their cost in millionths of the price currency's unit; `None` if no price is known.
    pub cost_micros: Option<u64>,
}

/// A run with all details.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// The summary shown in lists.
    pub summary: RunSummary,
    /// Its input.
    pub input: Json,
    /// Its output, if that is not too large to be shown here.
    pub output: Option<Json>,
    /// Reference to its output, if that is stored beside the log.
    pub output_stored: Option<StoredResult>,
    /// Its steps, in the order of the workflow or of the assistant's execution; empty if they were not requested.
    pub steps: Vec<StepView>,
    /// Its calls whose outcome is unknown, even after its end.
    pub doubts: Vec<DoubtView>,
    /// Its resource usage.
    pub usage: RunUsage,
}

/// The state of an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalStatus {
    /// It has not been answered.
    Open,
    /// The answer was to go on.
    Approved,
    /// The answer was not to.
    Denied,
    /// It expired, which counts as denied.
    Expired,
    /// The run ended before an answer.
    Withdrawn,
}

impl ApprovalStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Open, Self::Approved, Self::Denied, Self::Expired, Self::Withdrawn];

    /// Its name in responses and filters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The status with that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// The status after an answer.
    #[must_use]
    pub const fn decided(choice: Choice) -> Self {
        match choice {
            Choice::Approve => Self::Approved,
            Choice::Deny => Self::Denied,
        }
    }
}

/// A question a run asks a person.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalView {
    /// The approval.
    pub id: ApprovalId,
    /// The run that asks.
    pub run_id: RunId,
    /// The project the run belongs to.
    pub project_id: ProjectId,
    /// Where in the run.
    pub place: Place,
    /// The question.
    pub prompt: String,
    /// What to look at before answering; for a call, its exact arguments.
    pub data: Json,
    /// The call to be approved, if the question is about one.
    pub call: Option<ProposedCall>,
    /// Edited arguments to call with instead.
    pub edit: Option<Edit>,
    /// When it counts as denied.
    pub expires_at: Option<DateTime<Utc>>,
    /// Its state.
    pub status: ApprovalStatus,
    /// When it was asked.
    pub requested_at: DateTime<Utc>,
    /// When it was answered.
    pub decided_at: Option<DateTime<Utc>>,
    /// Who answered.
    pub decided_by: Option<String>,
    /// The reason, for the record.
    pub reason: Option<String>,
}
