//! The worker: claims runs that are ready and executes them, several at a time, on one task.
//!
//! Dropping its future at any point is safe: what was not recorded is repeated, or needs a person's verdict, by the
//! rules of [`devskyy_domain::runs::next`]. It never polls: it waits for an append to the log, for a point in time the
//! queue named, or for one of its runs.

mod assign;
mod budget;
mod claiming;
mod commit;
mod compute;
mod conclude;
mod execution;
mod in_step;
mod letting_go;
mod model;
mod nudge;
mod quarantine;
mod setbacks;
mod stored;
mod tasks;
mod transcript;
mod under_way;

use std::{collections::BTreeMap, pin::pin, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use devskyy_domain::{
    kernel::{
        Aggregate,
        ids::{ProjectId, RunId},
    },
    runs::Run,
};
use execution::{Execution, Hold};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, select_biased, stream::FuturesUnordered};
use in_step::in_step;
use letting_go::Signals;
use quarantine::Quarantine;

use super::{
    PROJECTS,
    live::LiveRuns,
    ports::{Appetite, Claim, ResultStore, RunQueue, RunnableAgents},
};
use crate::{
    budgets::Ledger,
    error::PortError,
    es::{EventFilter, EventStore, Position, RecordedEvent},
    models::{ModelPrices, Models},
    ports::{Clock, IdGenerator},
    workflow::{Expressions, Schemas, ToolExecutor},
};

/// The ports of a worker.
#[derive(Clone)]
pub struct WorkerPorts {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Leases runs.
    pub queue: Arc<dyn RunQueue>,
    /// Results that are too large for events.
    pub results: Arc<dyn ResultStore>,
    /// The definitions of agents.
    pub agents: Arc<dyn RunnableAgents>,
    /// Evaluates expressions.
    pub expressions: Arc<dyn Expressions>,
    /// Validates against JSON Schemas.
    pub schemas: Arc<dyn Schemas>,
    /// Calls tools.
    pub tools: Arc<dyn ToolExecutor>,
    /// Calls models.
    pub models: Arc<dyn Models>,
    /// Prices of models.
    pub prices: Arc<dyn ModelPrices>,
    /// Reserves and settles the usage of model calls.
    pub ledger: Arc<Ledger>,
    /// Publishes partial answers of models to subscribers.
    pub live: Arc<LiveRuns>,
    /// The current time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn IdGenerator>,
}

/// The settings of a worker.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// Its name, unique among all workers.
    pub name: String,
    /// Maximum number of runs it executes at once.
    pub slots: usize,
    /// Maximum number of runs of one project that all workers together execute at once; `None` for no limit.
    pub per_project: Option<usize>,
    /// Maximum number of runs of one project that it executes at once itself; `None` for no limit.
    pub own_share: Option<usize>,
    /// How long it keeps a run without renewing the lease.
    pub lease: Duration,
    /// How long calls in progress may take once it is asked to stop; the rest is abandoned.
    pub grace: Duration,
    /// Maximum time between looks at the queue, needed if signals can be lost because other processes write to the log.
    pub idle: Option<Duration>,
}

impl WorkerSettings {
    /// The default settings for a worker of that name.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            slots: 32,
            per_project: None,
            own_share: None,
            lease: Duration::from_secs(15),
            grace: Duration::from_secs(20),
            idle: Some(Duration::from_secs(30)),
        }
    }
}

/// Executes runs.
#[derive(Clone)]
pub struct RunWorker {
    ports: WorkerPorts,
    settings: Arc<WorkerSettings>,
}

/// Maximum number of events read per round trip.
const PAGE: usize = 500;
/// Pause after a port failed.
const PAUSE: Duration = Duration::from_millis(500);
/// Slots for runs that only have to end, in addition to the regular ones.
const ENDING: usize = 4;
/// How often a worker without free slots looks for runs whose deadline has passed.
const OVERDUE: Duration = Duration::from_secs(1);
/// Events that make a run claimable, or matter to its holder.
const WAKING: [&str; 7] = [
    "run.queued",
    "run.approval_decided",
    "run.outcome_settled",
    "run.child_ended",
    "run.cancel_requested",
    "run.parked",
    "project.resumed",
];
/// The event that makes a run end, even if there is no free slot.
const STOPPING: &str = "run.cancel_requested";
/// Events that stop the runs of a project.
const RESTING: [&str; 2] = ["project.suspended", "project.archived"];
/// Events that free a slot for another run of the same project.
const FREEING: [&str; 5] = ["run.parked", "run.completed", "run.failed", "run.cancelled", "run.expired"];

impl RunWorker {
    /// Creates a worker that has not started.
    #[must_use]
    pub fn new(ports: WorkerPorts, settings: WorkerSettings) -> Self {
        Self { ports, settings: Arc::new(settings) }
    }

    /// Works until `stop` completes. Then it claims no more runs, hands runs over between two calls, waits for the
    /// calls in progress as long as its settings allow, abandons the rest and returns.
    pub async fn work(&self, stop: impl Future<Output = ()> + Send) {
        let mut shift = Shift::new(self);
        shift.seen = self.head().await;
        let mut stop = pin!(stop.fuse());
        loop {
            shift.take_runs().await;
            let mut moved = pin!(self.ports.store.beyond(shift.seen, shift.rewinds).fuse());
            let mut due = pin!(shift.due().fuse());
            select_biased! {
                () = stop => break,
                claim = shift.executions.select_next_some() => shift.left(claim),
                _ = moved => shift.listen().await,
                () = due => (shift.look, shift.ends) = (true, true),
            }
        }
        shift.drain().await;
    }

    /// The head of the log; retries until it can be read.
    async fn head(&self) -> Position {
        loop {
            match self.ports.store.head().await {
                Ok(head) => return head,
                Err(error) => self.pause(&error).await,
            }
        }
    }

    async fn pause(&self, error: &PortError) {
        tracing::warn!(worker = %self.settings.name, error = ?error, "the worker pauses");
        self.ports.clock.sleep(PAUSE).await;
    }
}

/// One worker while it works.
struct Shift<'a> {
    worker: &'a RunWorker,
    executions: FuturesUnordered<BoxFuture<'static, Claim>>,
    active: BTreeMap<RunId, (Claim, Arc<Signals>)>,
    quarantine: Quarantine,
    seen: Position,
    /// Number of rewinds of the log at that position.
    rewinds: u64,
    /// Whether something may have become claimable since the last look.
    look: bool,
    /// Whether something may have to end since the last look.
    ends: bool,
    /// Whether a run waits for another run of its project to free a slot.
    held_back: bool,
    /// When to look again at the latest; `None` if only a signal can bring work.
    due: Option<DateTime<Utc>>,
}

impl<'a> Shift<'a> {
    fn new(worker: &'a RunWorker) -> Self {
        Self {
            worker,
            executions: FuturesUnordered::new(),
            active: BTreeMap::new(),
            quarantine: Quarantine::default(),
            seen: 0,
            rewinds: worker.ports.store.rewinds(),
            look: true,
            ends: true,
            held_back: false,
            due: Some(worker.ports.clock.now()),
        }
    }

    /// Completes when it is time to look again.
    fn due(&self) -> impl Future<Output = ()> + Send + use<> {
        let (due, clock) = (self.due, Arc::clone(&self.worker.ports.clock));
        async move {
            match due {
                Some(due) => clock.sleep((due - clock.now()).to_std().unwrap_or_default()).await,
                None => std::future::pending().await,
            }
        }
    }

    async fn take_runs(&mut self) {
        let RunWorker { ports, settings } = self.worker;
        let busy = self.executions.len();
        let free = settings.slots.saturating_sub(busy);
        let ending = settings.slots.saturating_add(ENDING).saturating_sub(busy).min(ENDING);
        if ending == 0 {
            // The next run that leaves triggers the next look.
            self.due = None;
            return;
        }
        if !(self.look && free > 0 || self.ends) {
            return;
        }
        (self.look, self.ends) = (self.look && free == 0, false);
        let WorkerSettings { per_project, own_share, lease, .. } = **settings;
        let appetite = Appetite { most: free, ending, per_project, own_share, lease };
        let asked = ports.clock.now();
        let claims = self.beside(ports.queue.claim(&settings.name, appetite)).await;
        let wait = match claims {
            Ok(claims) => {
                // A full batch may have left some runs behind.
                self.look |= claims.runs.len() >= free;
                self.held_back = claims.held_back;
                let clock = in_step(&ports.clock, claims.at);
                let leased_at = clock.now() - (ports.clock.now() - asked);
                claims.runs.into_iter().for_each(|claim| self.start(Hold::leased(claim, leased_at), &clock));
                [claims.next_due, settings.idle].into_iter().flatten().min()
            }
            Err(error) => {
                tracing::warn!(worker = %settings.name, error = ?error, "cannot look at the queue");
                Some(PAUSE)
            }
        };
        // Avoids a busy loop if a run is due but not claimable, or if there is no slot for it.
        let least = if free == 0 { OVERDUE } else { Duration::from_millis(10) };
        self.due = wait.map(|wait| ports.clock.now() + wait.max(least));
    }

    fn start(&mut self, held: Hold, clock: &Arc<dyn Clock>) {
        let claim = held.claim;
        // An execution that has not claimed its run yet keeps it: its lease was only prolonged.
        let None = self.active.get(&claim.run).filter(|(leased, _)| *leased == claim) else { return };
        let signals = Arc::new(Signals::default());
        self.active.insert(claim.run, (claim, Arc::clone(&signals)));
        let RunWorker { ports, settings } = self.worker.clone();
        let ports = WorkerPorts { clock: Arc::clone(clock), ..ports };
        let quarantine = self.quarantine.clone();
        let execution = async move {
            Execution::carry_out(ports, settings, held, signals, &quarantine).await;
            claim
        };
        self.executions.push(execution.boxed());
    }

    fn left(&mut self, claim: Claim) {
        if self.active.get(&claim.run).is_some_and(|(current, _)| *current == claim) {
            self.active.remove(&claim.run);
        }
        (self.look, self.ends) = (true, true);
    }

    /// Reads new events and signals the runs they concern.
    async fn listen(&mut self) {
        let filter = EventFilter::categories(&[Run::CATEGORY, PROJECTS]).headlines();
        loop {
            let store = &self.worker.ports.store;
            let page = match self.beside(store.read_all(self.seen, PAGE, &filter)).await {
                _ if store.rewinds() != self.rewinds => return self.assume_anything().await,
                Ok(page) => page,
                Err(error) if error.retryable => {
                    (self.look, self.ends) = (true, true);
                    return self.beside(self.worker.pause(&error)).await;
                }
                Err(error) => {
                    tracing::error!(worker = %self.worker.settings.name, after = self.seen, error = ?error,
                        "what happened cannot be read; the worker goes round it");
                    return self.assume_anything().await;
                }
            };
            for event in &page.events {
                self.hear(event);
            }
            let full = page.events.len() == PAGE;
            self.seen = self.seen.max(page.scanned_to);
            if !full {
                return;
            }
        }
    }

    /// Continues at the head when the events before it are lost: the log was rewound, or cannot be read. They may have
    /// concerned any run, so all runs are handed over between two calls; those that may continue are claimed again.
    async fn assume_anything(&mut self) {
        let RunWorker { ports, .. } = self.worker;
        let rewinds = ports.store.rewinds();
        (self.look, self.ends) = (true, true);
        match self.beside(ports.store.head()).await {
            Ok(head) => {
                (self.seen, self.rewinds) = (head, rewinds);
                self.active.values().for_each(|(_, signals)| signals.stop());
            }
            Err(error) => self.beside(self.worker.pause(&error)).await,
        }
    }

    fn hear(&mut self, event: &RecordedEvent) {
        let kind = event.event_type.as_ref();
        if RESTING.contains(&kind) {
            self.lay_down(ProjectId::from(event.stream_id));
        }
        self.look |= self.held_back && FREEING.contains(&kind);
        if !WAKING.contains(&kind) {
            return;
        }
        self.look = true;
        self.ends |= kind == STOPPING;
        if let Some((_, signals)) = self.active.get(&RunId::from(event.stream_id)) {
            signals.nudge.signal();
        }
    }

    /// Hands over the runs of a project; they are not claimed again until the project is active.
    fn lay_down(&self, project: ProjectId) {
        // The project of a run may not be known yet; such a run is claimed again if its project is active.
        let concerned = self.active.values().filter(|(_, signals)| signals.project().is_none_or(|its| its == project));
        concerned.for_each(|(_, signals)| signals.stop());
    }

    /// Waits for something while the runs make progress: a run that is not polled may hold what the wait is for.
    async fn beside<T>(&mut self, wait: impl Future<Output = T> + Send) -> T {
        let mut wait = pin!(wait.fuse());
        loop {
            select_biased! {
                done = wait => return done,
                claim = self.executions.select_next_some() => self.left(claim),
            }
        }
    }

    /// Lets the calls in progress end within the grace period; runs are handed over once nothing is in progress.
    async fn drain(&mut self) {
        let RunWorker { ports, settings } = self.worker;
        tracing::info!(worker = %settings.name, runs = self.executions.len(), "the worker stops");
        self.active.values().for_each(|(_, signals)| signals.stop());
        let mut grace = pin!(ports.clock.sleep(settings.grace).fuse());
        while !self.executions.is_empty() {
            let mut moved = pin!(ports.store.beyond(self.seen, self.rewinds).fuse());
            select_biased! {
                claim = self.executions.select_next_some() => self.left(claim),
                () = grace => {
                    tracing::warn!(worker = %settings.name, runs = self.executions.len(), "calls under way are let go of");
                    self.active.values().for_each(|(_, signals)| signals.let_go());
                }
                _ = moved => self.listen().await,
            }
        }
    }
}
