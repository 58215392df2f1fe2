//! The worker: takes runs that are ready and carries them out, several at a time, on one task.
//!
//! Dropping its future at any point is safe: what was not recorded is done again or put before people, by the rules of
//! [`devskyy_domain::runs::next`]. It never polls: it waits for the log to move, for a point in time the queue named, or
//! for one of its runs.

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

/// What a worker needs from outside.
#[derive(Clone)]
pub struct WorkerPorts {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Hands out runs.
    pub queue: Arc<dyn RunQueue>,
    /// Results that are too large for events.
    pub results: Arc<dyn ResultStore>,
    /// What agents do.
    pub agents: Arc<dyn RunnableAgents>,
    /// Evaluates expressions.
    pub expressions: Arc<dyn Expressions>,
    /// Knows JSON Schema.
    pub schemas: Arc<dyn Schemas>,
    /// Calls tools.
    pub tools: Arc<dyn ToolExecutor>,
    /// Asks models.
    pub models: Arc<dyn Models>,
    /// Knows what models cost.
    pub prices: Arc<dyn ModelPrices>,
    /// Where model calls reserve and settle what they use.
    pub ledger: Arc<Ledger>,
    /// Hands what models are saying to whoever listens.
    pub live: Arc<LiveRuns>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn IdGenerator>,
}

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// Its name, different from every other worker's.
    pub name: String,
    /// Runs it works on at once.
    pub slots: usize,
    /// Most runs of one project that all workers together carry out at once; any number without it.
    pub per_project: Option<usize>,
    /// Most runs of one project that it carries out at once itself; any number without it.
    pub own_share: Option<usize>,
    /// How long a run stays its own without a sign of life.
    pub lease: Duration,
    /// How long calls under way may take to end once it is asked to stop; what has not ended then is let go of.
    pub grace: Duration,
    /// Longest time without a look at the queue, where signals can be lost because others write to the log as well.
    pub idle: Option<Duration>,
}

impl WorkerSettings {
    /// The usual settings for a worker of that name.
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

/// Carries out runs.
#[derive(Clone)]
pub struct RunWorker {
    ports: WorkerPorts,
    settings: Arc<WorkerSettings>,
}

/// Most events read per round trip while listening.
const PAGE: usize = 500;
/// Pause after a port failed.
const PAUSE: Duration = Duration::from_millis(500);
/// Runs that a worker ends beside those it works on, however many those are.
const ENDING: usize = 4;
/// How often a worker without room looks for runs whose deadline has passed.
const OVERDUE: Duration = Duration::from_secs(1);
/// What makes a run claimable, or matters to whoever holds it.
const WAKING: [&str; 7] = [
    "run.queued",
    "run.approval_decided",
    "run.outcome_settled",
    "run.child_ended",
    "run.cancel_requested",
    "run.parked",
    "project.resumed",
];
/// What makes a run end, also where there is no room for others.
const STOPPING: &str = "run.cancel_requested";
/// What makes the runs of a project rest.
const RESTING: [&str; 2] = ["project.suspended", "project.archived"];
/// What makes room for another run of the same project.
const FREEING: [&str; 5] = ["run.parked", "run.completed", "run.failed", "run.cancelled", "run.expired"];

impl RunWorker {
    /// A worker that has not begun.
    #[must_use]
    pub fn new(ports: WorkerPorts, settings: WorkerSettings) -> Self {
        Self { ports, settings: Arc::new(settings) }
    }

    /// Works until `stop` completes, then takes nothing more, hands runs over between two calls, waits for the calls under
    /// way as long as its settings allow, lets go of what is left and returns.
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

    /// Where the log stands, however long it takes to find out.
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

/// One worker at work.
struct Shift<'a> {
    worker: &'a RunWorker,
    executions: FuturesUnordered<BoxFuture<'static, Claim>>,
    active: BTreeMap<RunId, (Claim, Arc<Signals>)>,
    quarantine: Quarantine,
    seen: Position,
    /// How often the log had been put back when that was seen.
    rewinds: u64,
    /// Whether something may be claimable that was not at the last look.
    look: bool,
    /// Whether something may have to end that did not at the last look.
    ends: bool,
    /// Whether something waits until a run of its project lets go.
    held_back: bool,
    /// When to look again at the latest; never, where only a signal can bring something to do.
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

    /// Returns when it is time to look again.
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
            // Whoever leaves brings the next look.
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
                // A full hand may have left some behind.
                self.look |= claims.runs.len() >= free;
                self.held_back = claims.held_back;
                let clock = in_step(&ports.clock, claims.at);
                let leased_at = clock.now() - (ports.clock.now() - asked);
                for claim in claims.runs {
                    // An execution that has not claimed its run yet keeps it: its lease was prolonged.
                    if self.active.get(&claim.run).is_none_or(|(leased, _)| *leased != claim) {
                        self.start(Hold::leased(claim, leased_at), &clock);
                    }
                }
                [claims.next_due, settings.idle].into_iter().flatten().min()
            }
            Err(error) => {
                tracing::warn!(worker = %settings.name, error = ?error, "cannot look at the queue");
                Some(PAUSE)
            }
        };
        // A run that is due but not claimable yet must not turn the wait into a spin, nor one for which there is no room.
        let least = if free == 0 { OVERDUE } else { Duration::from_millis(10) };
        self.due = wait.map(|wait| ports.clock.now() + wait.max(least));
    }

    fn start(&mut self, held: Hold, clock: &Arc<dyn Clock>) {
        let claim = held.claim;
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

    /// Reads what happened since, and tells the runs it concerns.
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

    /// Goes on at the head, where nobody can say what happened before it: the log was put back, or cannot be read. It may have
    /// concerned any run, so all are handed over between two calls, and those that may go on are claimed again.
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

    /// Has the runs of a project handed over, which nobody gets before it is in use again.
    fn lay_down(&self, project: ProjectId) {
        // A run that does not know yet where it belongs is claimed again, if it need not rest.
        let concerned = self.active.values().filter(|(_, signals)| signals.project().is_none_or(|its| its == project));
        concerned.for_each(|(_, signals)| signals.stop());
    }

    /// Waits for something while the runs go on: one that is not looked at may hold what the wait is for.
    async fn beside<T>(&mut self, wait: impl Future<Output = T> + Send) -> T {
        let mut wait = pin!(wait.fuse());
        loop {
            select_biased! {
                done = wait => return done,
                claim = self.executions.select_next_some() => self.left(claim),
            }
        }
    }

    /// Lets the calls under way end, but not for ever; whoever holds a run hands it over as soon as nothing is under way.
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
