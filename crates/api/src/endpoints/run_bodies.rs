//! Bodies of runs.

use chrono::{DateTime, Utc};
use devskyy_application::runs::{DoubtView, ExecutionView, RunSummary, RunUsage, RunView, StepView, TokenCount};
use devskyy_domain::{
    conversation::AppliedPrice,
    kernel::{Json, Version},
    runs::{Failure, Origin, Place, Waiting},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{approval_body::ApprovalBody, provider_bodies::PriceBody, results::StoredResultBody};
use crate::{
    bounds::{PriorityName, RunStatusName},
    extract::Revision,
    ids::{AgentRef, OperationRef, ProjectRef, RunRef},
};

/// An error.
#[derive(Serialize, ToSchema)]
#[schema(as = Failure)]
pub(super) struct FailureBody {
    /// Stable code.
    #[schema(example = "tool.http_status")]
    code: String,
    /// For people.
    message: String,
    /// The step at which it failed, if there is one.
    step: Option<String>,
    /// The element of the step, if the step has `for_each`.
    index: Option<u32>,
}

impl From<Failure> for FailureBody {
    fn from(failure: Failure) -> Self {
        let Failure { code, message, place } = failure;
        let (step, index) = place.map(|Place { step, index }| (step, index)).unzip();
        Self { code, message, step, index: index.flatten() }
    }
}

/// A run as lists show it.
#[derive(Serialize, ToSchema)]
#[schema(as = RunSummary)]
pub(super) struct RunSummaryBody {
    /// Which run.
    id: RunRef,
    /// Which agent.
    agent_id: AgentRef,
    /// Which of its versions.
    agent_version: u32,
    /// The project it belongs to.
    project_id: ProjectRef,
    /// `queued`, `running`, `waiting`, `cancelling`, `completed`, `failed`, `cancelled` or `expired`.
    #[schema(value_type = RunStatusName)]
    status: &'static str,
    /// The reasons for waiting: any of `approval`, `timer`, `reconcile` and `child`.
    waiting_for: Vec<&'static str>,
    /// `low`, `normal` or `high`.
    #[schema(value_type = PriorityName)]
    priority: &'static str,
    /// The error, if it failed.
    error: Option<FailureBody>,
    /// The parent run, if there is one.
    parent_run_id: Option<RunRef>,
    /// The run it retries.
    retry_of: Option<RunRef>,
    /// The run it was forked from.
    forked_from: Option<ForkedFromBody>,
    /// Tokens its models were billed for, without those of the runs below it.
    tokens: TokensBody,
    /// The cost, in millionths of the unit of the prices; `null` if no price is known.
    cost_micros: Option<u64>,
    /// Who started it.
    #[schema(example = "user:01938f2e-0000-7000-8000-000000000000")]
    requested_by: String,
    /// The deadline.
    deadline: DateTime<Utc>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When a worker first claimed it.
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    ended_at: Option<DateTime<Utc>>,
    /// Its version, also its `ETag`.
    #[schema(value_type = u64)]
    version: Version,
}

impl From<RunSummary> for RunSummaryBody {
    fn from(run: RunSummary) -> Self {
        let (retry_of, forked_from) = match run.origin {
            None => (None, None),
            Some(Origin::Retry { of }) => (Some(of.into()), None),
            Some(Origin::Fork { from, step }) => (None, Some(ForkedFromBody { run_id: from.into(), step })),
        };
        Self {
            id: run.id.into(),
            agent_id: run.agent_id.into(),
            agent_version: run.agent_version,
            project_id: run.project_id.into(),
            status: run.status.as_str(),
            waiting_for: run.waiting_for.into_iter().map(Waiting::as_str).collect(),
            priority: run.priority.as_str(),
            error: run.error.map(FailureBody::from),
            parent_run_id: run.parent_run_id.map(Into::into),
            retry_of,
            forked_from,
            tokens: run.tokens.into(),
            cost_micros: run.cost_micros,
            requested_by: run.requested_by,
            deadline: run.deadline,
            created_at: run.created_at,
            started_at: run.started_at,
            ended_at: run.ended_at,
            version: run.version,
        }
    }
}

/// A run with everything about it.
#[derive(Serialize, ToSchema)]
#[schema(as = Run)]
pub(super) struct RunBody {
    #[serde(flatten)]
    summary: RunSummaryBody,
    /// The input.
    #[schema(value_type = Value)]
    input: Json,
    /// The output; `null` if it is stored.
    #[schema(value_type = Option<Value>)]
    output: Option<Json>,
    /// The stored output, if it is larger than 64 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    output_stored: Option<StoredResultBody>,
    /// Its steps, in the order of the definition; empty with `steps=none`.
    steps: Vec<StepBody>,
    /// Calls whose outcome is unknown. Each takes a verdict, also after the end of the run.
    in_doubt: Vec<DoubtBody>,
    /// The usage.
    usage: UsageBody,
}

/// A call whose outcome is unknown.
#[derive(Serialize, ToSchema)]
#[schema(as = Doubt)]
struct DoubtBody {
    /// The operation id, to which a verdict is addressed.
    operation_id: OperationRef,
    /// The tool it called.
    #[schema(example = "charge")]
    tool: String,
    /// The step it belongs to.
    #[schema(example = "pay")]
    step: String,
    /// The element of the step, if the step has `for_each`.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
}

impl From<DoubtView> for DoubtBody {
    fn from(doubt: DoubtView) -> Self {
        let DoubtView { place: Place { step, index }, operation, tool } = doubt;
        Self { operation_id: operation.into(), tool, step, index }
    }
}

/// The origin of a fork.
#[derive(Serialize, ToSchema)]
#[schema(as = ForkedFrom)]
struct ForkedFromBody {
    /// Which run.
    run_id: RunRef,
    /// The first step it takes itself.
    #[schema(example = "greet")]
    step: String,
}

impl From<RunView> for RunBody {
    fn from(run: RunView) -> Self {
        let RunView { summary, input, output, output_stored, steps, doubts, usage } = run;
        let steps = steps.into_iter().map(StepBody::from).collect();
        Self {
            summary: summary.into(),
            input,
            output,
            output_stored: output_stored.map(StoredResultBody::from),
            steps,
            in_doubt: doubts.into_iter().map(DoubtBody::from).collect(),
            usage: usage.into(),
        }
    }
}

impl Revision for RunBody {
    fn version(&self) -> Version {
        self.summary.version
    }
}

/// A step of a run.
#[derive(Serialize, ToSchema)]
#[schema(as = RunStep)]
struct StepBody {
    /// Its name.
    #[schema(example = "greet")]
    id: String,
    /// The kind of step: `tool`, `agent` or `approval`; in a run of an assistant `model`, `tools` or `summary`.
    #[schema(example = "tool")]
    kind: &'static str,
    /// The output, once the step is settled; `null` if the output, or that of an element, is stored.
    #[schema(value_type = Option<Value>)]
    output: Option<Json>,
    #[serde(flatten)]
    execution: ExecutionBody,
    /// The elements, if the step has `for_each` and they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    elements: Option<Vec<ExecutionBody>>,
}

impl From<StepView> for StepBody {
    fn from(step: StepView) -> Self {
        let StepView { id, kind, output, execution, elements } = step;
        let elements = elements.map(|elements| elements.into_iter().map(ExecutionBody::from).collect());
        Self { id, kind, output, execution: execution.into(), elements }
    }
}

/// One execution of a step.
#[derive(Serialize, ToSchema)]
#[schema(as = Execution)]
struct ExecutionBody {
    /// The index of the element, if the step has `for_each`.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
    /// `pending`, `running`, `waiting`, `in_doubt`, `succeeded`, `skipped`, `failed` or `abandoned`.
    #[schema(example = "succeeded")]
    status: &'static str,
    /// Whether it was not carried out here but taken over from the run this one was forked from.
    taken_over: bool,
    /// The tool it calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<String>,
    /// The model it asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// Tokens used, if the step called a model.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<TokensBody>,
    /// The cost, in millionths of the unit of the price, if a price is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_micros: Option<u64>,
    /// The price that applied; later changes of its list do not affect it.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<AppliedPriceBody>,
    /// Tries of its call.
    attempts: u32,
    /// The id of its call; also what a verdict is addressed to.
    operation_id: Option<OperationRef>,
    /// The question it asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<ApprovalBody>,
    /// The run it waits for, or waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    child_run_id: Option<RunRef>,
    /// The stored output, if it is larger than 64 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    output_stored: Option<StoredResultBody>,
    /// The error of the step, or of its last attempt.
    error: Option<FailureBody>,
    /// When it began.
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    ended_at: Option<DateTime<Utc>>,
}

impl From<ExecutionView> for ExecutionBody {
    fn from(execution: ExecutionView) -> Self {
        Self {
            index: execution.index,
            status: execution.status.as_str(),
            taken_over: execution.taken_over,
            tool: execution.tool,
            model: execution.model,
            tokens: execution.tokens.map(TokensBody::from),
            cost_micros: execution.cost_micros,
            price: execution.price.map(AppliedPriceBody::from),
            attempts: execution.attempts,
            operation_id: execution.operation_id.map(Into::into),
            approval: execution.approval.map(ApprovalBody::from),
            child_run_id: execution.child_run_id.map(Into::into),
            output_stored: execution.output_stored.map(StoredResultBody::from),
            error: execution.error.map(FailureBody::from),
            started_at: execution.started_at,
            ended_at: execution.ended_at,
        }
    }
}

/// What a model cost when it answered.
#[derive(Serialize, ToSchema)]
#[schema(as = AppliedPrice)]
struct AppliedPriceBody {
    /// The price list: `agent:3` is version 3 of the agent, `provider:<id>:2` the second list of a project's provider,
    /// `configuration:1f3a9c02` the list that the operator had configured.
    #[schema(example = "agent:3")]
    list: String,
    #[serde(flatten)]
    price: PriceBody,
}

impl From<AppliedPrice> for AppliedPriceBody {
    fn from(applied: AppliedPrice) -> Self {
        let AppliedPrice { list, price } = applied;
        Self { list, price: price.into() }
    }
}

/// What a run used.
#[derive(Serialize, ToSchema)]
#[schema(as = Usage)]
struct UsageBody {
    /// Executions, skips and questions begun; what the step limit counts.
    steps: u32,
    /// Calls of tools, retries included.
    calls: u32,
    /// Calls that were made again.
    retries: u32,
    /// Questions asked.
    approvals: u32,
    /// Child runs.
    children: u32,
    /// Questions to models, retries included.
    model_calls: u32,
    /// Tokens they were billed for.
    tokens: TokensBody,
    /// The cost, in millionths of the unit of the version's prices; `null` if no price is known.
    cost_micros: Option<u64>,
}

/// Tokens by class; no token is in two classes.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenCounts)]
pub(super) struct TokensBody {
    /// Read afresh.
    input: u64,
    /// Written for the caller.
    output: u64,
    /// Read from the provider's cache.
    cache_read: u64,
    /// Put into the provider's cache.
    cache_write: u64,
    /// Written by the model for itself.
    reasoning: u64,
}

impl TokensBody {
    /// All classes together.
    pub(super) const fn total(&self) -> u64 {
        let Self { input, output, cache_read, cache_write, reasoning } = self;
        input
            .saturating_add(*output)
            .saturating_add(*cache_read)
            .saturating_add(*cache_write)
            .saturating_add(*reasoning)
    }
}

impl From<TokenCount> for TokensBody {
    fn from(tokens: TokenCount) -> Self {
        let TokenCount { input, output, cache_read, cache_write, reasoning } = tokens;
        Self { input, output, cache_read, cache_write, reasoning }
    }
}

impl From<RunUsage> for UsageBody {
    fn from(usage: RunUsage) -> Self {
        let RunUsage { steps, calls, retries, approvals, children, model_calls, tokens, cost_micros } = usage;
        Self { steps, calls, retries, approvals, children, model_calls, tokens: tokens.into(), cost_micros }
    }
}
