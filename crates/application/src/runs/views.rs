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

/// Where a run stands, as people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunStatus {
    /// No worker has taken it yet.
    Queued,
    /// It is being worked on, or may be at once.
    Running,
    /// It waits for somebody or something.
    Waiting,
    /// It is about to stop.
    Cancelling,
    /// It returned a value.
    Completed,
    /// It could not go on.
    Failed,
    /// It was stopped.
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

    /// Its name in answers and filters.
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

    /// The status of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether the run has ended.
    #[must_use]
    pub const fn ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled | Self::Expired)
    }

    /// What people see of a phase.
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

/// A run as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    /// Which run.
    pub id: RunId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Which agent.
    pub agent_id: AgentId,
    /// Which of its versions.
    pub agent_version: u32,
    /// Where it stands.
    pub status: RunStatus,
    /// What it waits for, while it waits.
    pub waiting_for: Vec<Waiting>,
    /// How urgent it is.
    pub priority: Priority,
    /// Why it failed, where it did.
    pub error: Option<Failure>,
    /// The run that waits for it, where one does.
    pub parent_run_id: Option<RunId>,
    /// The run it was made from, where it was made from one.
    pub origin: Option<Origin>,
    /// Tokens its models were billed for, without those of the runs below it; 10^15 of a class at most.
    pub tokens: TokenCount,
    /// What they cost, in millionths of the unit of the version's prices; none where no price is known.
    pub cost_micros: Option<u64>,
    /// Who asked for it: `user:<id>` or `system:<name>`.
    pub requested_by: String,
    /// When it ends at the latest.
    pub deadline: DateTime<Utc>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When a worker first took it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Its version, which is also its `ETag`.
    pub version: Version,
}

impl RunSummary {
    /// Takes in what an answer used.
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

/// How far a step, or one of its elements, has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStatus {
    /// It has not begun.
    Pending,
    /// It is being worked on.
    Running,
    /// It waits: for a person, a child run or its next try.
    Waiting,
    /// Nobody knows what became of its call; a person has to say.
    InDoubt,
    /// Done.
    Succeeded,
    /// Its condition did not hold.
    Skipped,
    /// Over.
    Failed,
    /// The run ended in the middle of it.
    Abandoned,
}

impl StepStatus {
    /// Its name in answers.
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

/// How one execution of a step went.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionView {
    /// Which element, where the step has `for_each`.
    pub index: Option<u32>,
    /// How far it has come.
    pub status: StepStatus,
    /// Whether it was not carried out here but taken over from the run this one was forked from.
    pub taken_over: bool,
    /// The tool it calls, where the model chose it.
    pub tool: Option<String>,
    /// The model it asks.
    pub model: Option<String>,
    /// Tokens it was billed for, where it asked a model.
    pub tokens: Option<TokenCount>,
    /// What they cost, in millionths of the unit of the price.
    pub cost_micros: Option<u64>,
    /// The price by which they cost that, as it was when the model answered.
    pub price: Option<AppliedPrice>,
    /// Tries of its call.
    pub attempts: u32,
    /// The id of its call; also what a verdict is addressed to.
    pub operation_id: Option<OperationId>,
    /// The question it asks.
    pub approval: Option<ApprovalView>,
    /// The run it waits for, or waited for.
    pub child_run_id: Option<RunId>,
    /// Where what it gave is kept, where that is too large to be shown here.
    pub output_stored: Option<StoredResult>,
    /// Why it failed, or why its last try did.
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
    /// What it does: `tool`, `agent` or `approval`; in a run of an assistant `model`, `tools` or `summary`.
    pub kind: &'static str,
    /// What it gave, once it is settled; `null` for what is stored, of the step or of an element.
    pub output: Option<Json>,
    /// How it went, all elements together.
    pub execution: ExecutionView,
    /// How each element went, where the step has `for_each` and its elements are known.
    pub elements: Option<Vec<ExecutionView>>,
}

/// What a run used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunUsage {
    /// Executions, skips and questions begun; what the step limit counts.
    pub steps: u32,
    /// Calls of tools, retries included.
    pub calls: u32,
    /// Calls that were made again.
    pub retries: u32,
    /// Questions asked.
    pub approvals: u32,
    /// Child runs.
    pub children: u32,
    /// Questions to models, retries included.
    pub model_calls: u32,
    /// Tokens they were billed for.
    pub tokens: TokenCount,
    /// What they cost, in millionths of the unit of the version's prices; none where no price is known.
    pub cost_micros: Option<u64>,
}

/// A run with everything about it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// What lists show.
    pub summary: RunSummary,
    /// What it works on.
    pub input: Json,
    /// What it returned, where that is not too large to be shown here.
    pub output: Option<Json>,
    /// Where what it returned is kept, where it is.
    pub output_stored: Option<StoredResult>,
    /// Its steps, in the order the workflow lists them or the assistant took them; empty where they are not wanted.
    pub steps: Vec<StepView>,
    /// Its calls of which nobody knows what became of them, also after its end.
    pub doubts: Vec<DoubtView>,
    /// What it used.
    pub usage: RunUsage,
}

/// What became of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalStatus {
    /// Nobody has answered.
    Open,
    /// Go on.
    Approved,
    /// Do not.
    Denied,
    /// Nobody answered in time, which counts as denied.
    Expired,
    /// The run ended before anybody answered.
    Withdrawn,
}

impl ApprovalStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Open, Self::Approved, Self::Denied, Self::Expired, Self::Withdrawn];

    /// Its name in answers and filters.
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

    /// The status of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// What an answer makes of a question.
    #[must_use]
    pub const fn decided(choice: Choice) -> Self {
        match choice {
            Choice::Approve => Self::Approved,
            Choice::Deny => Self::Denied,
        }
    }
}

/// A question a run asks people.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalView {
    /// Which question.
    pub id: ApprovalId,
    /// Which run asks.
    pub run_id: RunId,
    /// The project the run belongs to.
    pub project_id: ProjectId,
    /// Where in the run.
    pub place: Place,
    /// The question.
    pub prompt: String,
    /// What to look at before answering; the exact arguments where it is about a call.
    pub data: Json,
    /// The call it is about, where it is about one.
    pub call: Option<ProposedCall>,
    /// Arguments the call is made with instead.
    pub edit: Option<Edit>,
    /// When it counts as denied.
    pub expires_at: Option<DateTime<Utc>>,
    /// What became of it.
    pub status: ApprovalStatus,
    /// When it was asked.
    pub requested_at: DateTime<Utc>,
    /// When it was answered.
    pub decided_at: Option<DateTime<Utc>>,
    /// Who answered.
    pub decided_by: Option<String>,
    /// Why, for the record.
    pub reason: Option<String>,
}
