//! Runs: starting, reading and controlling them, and the worker that executes them.

mod archived;
mod backoff;
mod begin;
mod cancel_run;
mod children;
mod decide_approval;
mod doubts;
mod filters;
mod fork_run;
mod get_result;
mod get_run;
mod get_usage;
mod hash;
mod list_approvals;
mod list_runs;
mod live;
mod ports;
mod published;
mod reading;
mod reconcile_run;
mod record;
mod results;
mod retry_run;
mod run_events;
mod start_run;
mod timeline;
mod usage;
mod views;
mod worker;

use std::sync::Arc;

pub use archived::ArchivedRuns;
pub use backoff::Backoff;
use begin::Beginning;
pub use begin::StartedRun;
pub use cancel_run::{CancelRun, CancelRunHandler};
pub use children::ChildRuns;
pub use decide_approval::{DecideApproval, DecideApprovalHandler};
use devskyy_domain::runs::Run;
pub use doubts::DoubtView;
pub use filters::{ApprovalFilter, ChildOf, RunFilter};
pub use fork_run::{ForkRun, ForkRunHandler};
pub use get_result::{GetResult, GetResultHandler};
pub use get_run::{GetRun, GetRunHandler};
pub use get_usage::{GetUsage, GetUsageHandler};
pub use list_approvals::{ListApprovals, ListApprovalsHandler};
pub use list_runs::{ListRuns, ListRunsHandler};
pub use live::{Delta, LiveLine, LiveListener, LiveMessage, LiveRelay, LiveRuns, LiveWire, Spoken};
pub use ports::{Appetite, Claim, Claims, ResultStore, RunQueue, RunViews, RunnableAgent, RunnableAgents, UsageViews};
pub use published::RunPublished;
use reading::RunReading;
pub use reconcile_run::{ReconcileRun, ReconcileRunHandler};
pub use record::{ApprovalChange, RunRecord};
use results::Results;
pub use results::result_hash;
pub use retry_run::{RetryRun, RetryRunHandler};
pub use run_events::{RunEvents, RunEventsHandler, RunEventsPage};
pub use start_run::{StartRun, StartRunHandler};
pub use usage::{
    Dimension, Grouping, ModelUse, ProjectUsage, UsageDays, UsageError, UsageFilter, UsageGroup, UsageRow,
};
pub use views::{
    ApprovalStatus, ApprovalView, ExecutionView, RunStatus, RunSummary, RunUsage, RunView, StepStatus, StepView,
    TokenCount,
};
pub use worker::{RunWorker, WorkerPorts, WorkerSettings};

use crate::{
    access::Access,
    es::{EventStore, Repository},
    ports::{Clock, IdGenerator},
    workflow::Schemas,
};

/// The streams of projects, whose events decide when runs pause and when they end.
const PROJECTS: &str = "project";

/// The ports of the context.
#[derive(Clone)]
pub struct RunsPorts {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Read models of runs.
    pub views: Arc<dyn RunViews>,
    /// Model usage.
    pub usage: Arc<dyn UsageViews>,
    /// Results that are too large for events.
    pub results: Arc<dyn ResultStore>,
    /// The definitions of agents.
    pub agents: Arc<dyn RunnableAgents>,
    /// Validates against JSON Schemas.
    pub schemas: Arc<dyn Schemas>,
    /// Live deltas of model answers, for subscribers.
    pub live: Arc<LiveRuns>,
    /// Permissions.
    pub access: Access,
    /// The current time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn IdGenerator>,
}

/// The use cases of the context.
pub struct Runs {
    /// Starts a run.
    pub start: StartRunHandler,
    /// Starts a run that repeats one that has ended.
    pub retry: RetryRunHandler,
    /// Starts a run that continues from a step of another.
    pub fork: ForkRunHandler,
    /// Returns one run.
    pub get: GetRunHandler,
    /// Returns a result that is too large for a run's events.
    pub result: GetResultHandler,
    /// Lists the runs the actor may see.
    pub list: ListRunsHandler,
    /// Cancels a run.
    pub cancel: CancelRunHandler,
    /// Returns the events of a run.
    pub events: RunEventsHandler,
    /// Answers an approval of a run.
    pub decide_approval: DecideApprovalHandler,
    /// Settles a call whose outcome is unknown.
    pub reconcile: ReconcileRunHandler,
    /// Lists the approvals of runs.
    pub approvals: ListApprovalsHandler,
    /// Returns the model usage of a project.
    pub usage: GetUsageHandler,
}

impl Runs {
    /// Creates the context from its ports.
    #[must_use]
    pub fn new(ports: RunsPorts) -> Self {
        let RunsPorts { store, views, usage, results, agents, schemas, live, access, clock, ids } = ports;
        let results = Results::new(results, clock.clone());
        let runs = Repository::<Run>::new(store.clone());
        let (agents_too, views_too) = (agents.clone(), views.clone());
        let reading = RunReading { store: store.clone(), views: views_too, agents: agents_too, access: access.clone() };
        let beginning = Beginning {
            runs: runs.clone(),
            reading: reading.clone(),
            agents: agents.clone(),
            schemas: schemas.clone(),
            access: access.clone(),
            clock: clock.clone(),
            ids,
        };
        Self {
            get: GetRunHandler { reading: reading.clone() },
            result: GetResultHandler { reading: reading.clone(), results: results.clone() },
            list: ListRunsHandler { views: views.clone(), access: access.clone() },
            cancel: CancelRunHandler { runs: runs.clone(), reading: reading.clone(), clock: clock.clone() },
            events: RunEventsHandler { store, live, reading: reading.clone() },
            decide_approval: DecideApprovalHandler {
                runs: runs.clone(),
                reading: reading.clone(),
                agents,
                schemas,
                clock: clock.clone(),
            },
            usage: GetUsageHandler { usage, access: access.clone() },
            reconcile: ReconcileRunHandler { runs, reading, results, clock },
            approvals: ListApprovalsHandler { views, access },
            start: StartRunHandler { beginning: beginning.clone() },
            retry: RetryRunHandler { beginning: beginning.clone() },
            fork: ForkRunHandler { beginning },
        }
    }
}
