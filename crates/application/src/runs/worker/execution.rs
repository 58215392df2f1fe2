use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    panic::AssertUnwindSafe,
    pin::pin,
    sync::Arc,
};

use chrono::{DateTime, Utc};
use devskyy_domain::{
    budgets::Amount,
    definition::Definition,
    kernel::ids::{OperationId, RunId},
    runs::{Ending, Failure, Next, Phase, Place, Progress, Run, RunEvent, Waiting, next},
};
use futures_util::{FutureExt, future::BoxFuture, select_biased};

use super::{
    WorkerPorts, WorkerSettings,
    budget::turn_down,
    commit::{Committed, Orders},
    conclude::Conclusion,
    letting_go::Signals,
    quarantine::{Quarantine, QuarantinePermit},
    setbacks::Setback,
    stored::Recalled,
    tasks::{Outcome, PATIENCE},
    under_way::{Done, UnderWay},
};
use crate::{
    error::PortError,
    es::{EventContext, Loaded, Repository, StreamId},
    runs::ports::Claim,
};

/// Why a worker stops working on a run that has not ended.
#[derive(Debug)]
pub(super) enum Stop {
    /// The run has passed to another worker, or has ended.
    Lost,
    /// A port failed; the run is resumed when the lease has lapsed, or later if the error is permanent.
    Broken(PortError),
}

pub(super) enum Flow {
    /// Wait for something, until this time at the latest.
    Attend(DateTime<Utc>),
    /// Continue at once.
    Again,
    /// The run has ended, or waits without a worker.
    Over,
}

/// A worker's hold on a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hold {
    /// The run, and the fence of its lease.
    pub(super) claim: Claim,
    /// When the lease was last requested.
    pub(super) leased_at: DateTime<Utc>,
    /// Whether this worker's claim under that fence is recorded. Until then another worker may still record that fence.
    pub(super) recorded: bool,
}

impl Hold {
    /// A run whose lease was requested at an instant.
    pub(super) const fn leased(claim: Claim, leased_at: DateTime<Utc>) -> Self {
        Self { claim, leased_at, recorded: false }
    }
}

/// What happens to the lease of a run that a worker is done with.
enum Left {
    /// It is released.
    AtOnce,
    /// It keeps other workers away for a while.
    UntilItLapses,
}

/// One run held by one worker.
pub(super) struct Execution {
    pub(super) ports: WorkerPorts,
    pub(super) settings: Arc<WorkerSettings>,
    pub(super) id: RunId,
    pub(super) runs: Repository<Run>,
    pub(super) loaded: Loaded<Run>,
    pub(super) fence: Option<u64>,
    pub(super) context: EventContext,
    /// Results from beside the log that steps needed so far.
    pub(super) recalled: Recalled,
    /// Maximum usage of calls that are about to be recorded, if a budget asked for it.
    pub(super) estimates: BTreeMap<OperationId, Amount>,
    pub(super) signals: Arc<Signals>,
    /// Set while the run is suspected of crashing workers and has made no progress yet.
    pub(super) quarantined: Option<QuarantinePermit>,
    pub(super) busy: BTreeSet<Place>,
    /// Tasks to be started.
    pub(super) begun: Vec<BoxFuture<'static, Done>>,
    pub(super) beat: DateTime<Utc>,
}

impl Execution {
    /// Works on a run until it has ended, waits, or is lost; then releases it.
    pub(super) async fn carry_out(
        ports: WorkerPorts,
        settings: Arc<WorkerSettings>,
        mut held: Hold,
        signals: Arc<Signals>,
        quarantine: &Quarantine,
    ) {
        let work = Self::work_until_lost(&ports, &settings, &mut held, &signals, quarantine);
        // A bug triggered by one run must not end the task that executes all the others.
        let worked = AssertUnwindSafe(work).catch_unwind().await;
        match worked.unwrap_or_else(|panic| Err(Stop::Broken(defect(panic.as_ref())))) {
            Err(Stop::Broken(error)) => return Setback { ports, settings, held, signals, error }.take().await,
            Ok(Left::UntilItLapses) if !signals.stopping() => return,
            Ok(_) | Err(Stop::Lost) => {}
        }
        if let Err(error) = ports.queue.release(&settings.name, held.claim).await {
            tracing::warn!(run = %held.claim.run, error = ?error, "cannot give the lease back");
        }
    }

    /// Works on a run. A run that was lost only because it is being cancelled is claimed again and ended, unless
    /// another worker has it by then.
    async fn work_until_lost(
        ports: &WorkerPorts,
        settings: &Arc<WorkerSettings>,
        held: &mut Hold,
        signals: &Arc<Signals>,
        quarantine: &Quarantine,
    ) -> Result<Left, Stop> {
        loop {
            match Self::work(ports.clone(), Arc::clone(settings), held, Arc::clone(signals), quarantine).await {
                Err(Stop::Lost) => *held = Self::to_stop(ports, settings, held.claim.run).await?.ok_or(Stop::Lost)?,
                worked => return worked,
            }
        }
    }

    /// The hold on a run under its next fence, if the run is being cancelled and this worker has the lease.
    async fn to_stop(ports: &WorkerPorts, settings: &WorkerSettings, run: RunId) -> Result<Option<Hold>, Stop> {
        let state = Repository::<Run>::new(Arc::clone(&ports.store)).load(run).await?.state;
        if *state.phase() != Phase::Cancelling {
            return Ok(None);
        }
        let held = Hold::leased(Claim { run, fence: state.fence() + 1 }, ports.clock.now());
        let ours = ports.queue.renew(&settings.name, held.claim, settings.lease).await?;
        Ok(ours.then_some(held))
    }

    async fn work(
        ports: WorkerPorts,
        settings: Arc<WorkerSettings>,
        held: &mut Hold,
        signals: Arc<Signals>,
        quarantine: &Quarantine,
    ) -> Result<Left, Stop> {
        let mut execution = Self::load(ports, settings, held.claim.run, signals).await?;
        if let Some(order) = execution.loaded.state.order() {
            execution.signals.belongs_to(order.project);
        }
        if !execution.admitted(quarantine).await {
            return Ok(Left::UntilItLapses);
        }
        execution.claim(held).await?;
        let fence = held.claim.fence;
        if execution.loaded.state.ended() {
            return Ok(Left::AtOnce);
        }
        let order = execution.loaded.state.order().ok_or(Stop::Lost)?;
        let definition = execution.ports.agents.definition(order.agent, order.agent_version).await?;
        let Some(definition) = definition else {
            let failure = Failure::new("run.agent_missing", "the agent's version is not there");
            return execution.finish(fence, &Ending::Failed(failure)).await.map(|_| Left::AtOnce);
        };
        execution.drive(&definition, held.claim).await.map(|()| Left::AtOnce)
    }

    pub(super) async fn load(
        ports: WorkerPorts,
        settings: Arc<WorkerSettings>,
        id: RunId,
        signals: Arc<Signals>,
    ) -> Result<Self, Stop> {
        let runs = Repository::<Run>::new(Arc::clone(&ports.store));
        let first = ports.store.read_stream(StreamId::of::<Run>(id), 0, 1).await?;
        let origin = first.into_iter().next().ok_or(Stop::Lost)?;
        let context = EventContext::reaction("worker", &origin);
        let loaded = runs.load(id).await?;
        let beat = ports.clock.now() + settings.lease / 3;
        Ok(Self {
            ports,
            settings,
            id,
            runs,
            loaded,
            fence: None,
            context,
            recalled: Recalled::default(),
            estimates: BTreeMap::new(),
            signals,
            quarantined: None,
            busy: BTreeSet::new(),
            begun: Vec::new(),
            beat,
        })
    }

    async fn drive(&mut self, definition: &Arc<Definition>, claim: Claim) -> Result<(), Stop> {
        let mut under_way = UnderWay::default();
        let driven = self.turn_by_turn(&mut under_way, definition, claim).await;
        if driven.is_err() {
            // The log decides whether this worker still holds the run. Results may not be available a second time.
            let (_, answered) = parted(under_way.take());
            if let Err(stop) = self.take_in(definition, claim.fence, answered).await {
                tracing::debug!(run = %self.id, stop = ?stop, "what was answered last is not recorded");
            }
        }
        driven
    }

    async fn turn_by_turn(
        &mut self,
        under_way: &mut UnderWay,
        definition: &Arc<Definition>,
        claim: Claim,
    ) -> Result<(), Stop> {
        loop {
            under_way.begin(self.begun.drain(..));
            self.quarantined = self.quarantined.take().filter(|_| self.loaded.state.suspect());
            if self.signals.letting_go() && !self.busy.is_empty() {
                self.take_in(definition, claim.fence, under_way.let_go()).await?;
                self.abandon(claim.fence).await?;
            }
            match under_way.beside(self.advance(definition, claim.fence)).await? {
                Flow::Over => return Ok(()),
                Flow::Again => {}
                Flow::Attend(until) => {
                    let told = self.attend(under_way, until).await;
                    let done = under_way.take();
                    under_way.beside(self.go_on(definition, claim, told, done)).await?;
                }
            }
        }
    }

    async fn advance(&mut self, definition: &Arc<Definition>, fence: u64) -> Result<Flow, Stop> {
        let (now, stopping) = (self.ports.clock.now(), self.signals.stopping());
        let next = next(&self.loaded.state, definition, now, &self.busy);
        match next {
            Next::Rest => Ok(Flow::Over),
            Next::Begin(_) if stopping && self.busy.is_empty() => self.hand_over(fence, now).await,
            Next::Finish(ending) => self.finish(fence, &ending).await,
            Next::Conclude => match self.conclude(definition).await? {
                Conclusion::End(ending) => self.finish(fence, &ending).await,
                Conclusion::Repair(report) => {
                    let reports = [report];
                    self.commit_once(|run| run.record(fence, &reports)).await.map(|_| Flow::Again)
                }
            },
            Next::Begin(_) if stopping => Ok(Flow::Attend(self.loaded.state.deadline().unwrap_or(now))),
            Next::Begin(tasks) => self.begin(definition, tasks).await.map(|()| Flow::Again),
            Next::Attend { until } => Ok(Flow::Attend(until)),
            Next::Wait { waiting, until }
                if !stopping && until - now <= patience() && waiting == BTreeSet::from([Waiting::Timer]) =>
            {
                Ok(Flow::Attend(until))
            }
            Next::Wait { waiting, until } => {
                let parked = self.commit_once(|run| run.park(fence, &waiting, until)).await?;
                Ok(if parked { Flow::Over } else { Flow::Again })
            }
        }
    }

    pub(super) async fn finish(&mut self, fence: u64, ending: &Ending) -> Result<Flow, Stop> {
        let now = self.ports.clock.now();
        let ended = self.commit_once(|run| run.finish(fence, ending, now)).await?;
        if ended {
            tracing::info!(run = %self.id, phase = ?self.loaded.state.phase(), "the run has ended");
        }
        Ok(if ended { Flow::Over } else { Flow::Again })
    }

    /// Waits for a result, a change in the log, a point in time or the next heartbeat; returns whether the log changed.
    async fn attend(&mut self, under_way: &mut UnderWay, until: DateTime<Utc>) -> bool {
        let pause = (until.min(self.beat) - self.ports.clock.now()).to_std().unwrap_or_default();
        let mut tick = pin!(self.ports.clock.sleep(pause).fuse());
        let mut nudged = pin!(self.signals.nudge.signalled().fuse());
        let mut done = pin!(under_way.any_done().fuse());
        select_biased! {
            () = nudged => true,
            () = done => false,
            () = tick => false,
        }
    }

    async fn go_on(
        &mut self,
        definition: &Arc<Definition>,
        claim: Claim,
        told: bool,
        mut done: Vec<Done>,
    ) -> Result<(), Stop> {
        if self.beat <= self.ports.clock.now() {
            // The log decides who may append, the lease only who should: results are recorded first.
            let (begins, answered) = parted(done);
            self.take_in(definition, claim.fence, answered).await?;
            self.beat = self.ports.clock.now() + self.settings.lease / 3;
            self.renew(claim).await?;
            done = begins;
        }
        if told {
            self.refresh().await?;
        }
        self.take_in(definition, claim.fence, done).await
    }

    async fn renew(&mut self, claim: Claim) -> Result<(), Stop> {
        match self.ports.queue.renew(&self.settings.name, claim, self.settings.lease).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Stop::Lost),
            Err(error) => {
                // The fence, not the lease, keeps other workers out; a short database outage is no reason to stop.
                tracing::warn!(run = %self.id, error = ?error, "cannot renew the lease");
                Ok(())
            }
        }
    }

    /// Records results, and makes the calls whose intent is then recorded.
    async fn take_in(&mut self, definition: &Arc<Definition>, fence: u64, done: Vec<Done>) -> Result<(), Stop> {
        let (mut reports, mut orders, mut broken) = (Vec::new(), Orders::new(), None);
        let fails = done.iter().any(|(_, outcome)| matches!(outcome, Outcome::Broken(_)));
        let begins_nothing = fails || self.signals.stopping();
        for (place, outcome) in done {
            self.busy.remove(&place);
            match outcome {
                outcome if begins_nothing && outcome.begins_a_call() => {}
                Outcome::Report(found) => reports.extend(found),
                Outcome::Delegate(delegated) => {
                    let (progress, order) = *delegated;
                    let operation = order.parent.map(|parent| parent.operation);
                    orders.extend(operation.map(|operation| (operation, order)));
                    reports.push(progress);
                }
                Outcome::Broken(error) => broken = Some(error),
            }
        }
        if !reports.is_empty() {
            for event in self.record(definition, fence, reports, &orders).await? {
                self.dispatch(definition, event).await?;
            }
        }
        broken.map_or(Ok(()), |error| Err(Stop::Broken(error)))
    }

    /// Records reports, within budgets.
    async fn record(
        &mut self,
        definition: &Arc<Definition>,
        fence: u64,
        mut reports: Vec<Progress>,
        orders: &Orders,
    ) -> Result<Vec<RunEvent>, Stop> {
        loop {
            match self.commit(orders, |run| run.record(fence, &reports)).await? {
                Committed::Recorded(events) => {
                    self.estimates.clear();
                    return Ok(events);
                }
                Committed::Unestimated => self.estimate(definition, &reports).await?,
                Committed::Exhausted(operation, error) => turn_down(&mut reports, operation, &error),
            }
        }
    }
}

/// Splits outcomes into those that would begin a call and the others.
fn parted(done: Vec<Done>) -> (Vec<Done>, Vec<Done>) {
    done.into_iter().partition(|(_, outcome)| outcome.begins_a_call())
}

fn defect(panic: &(dyn Any + Send)) -> PortError {
    let said = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    PortError::bug("run worker", "carrying out a run", said.unwrap_or("a panic").to_owned())
}

fn patience() -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(PATIENCE).unwrap_or_default()
}
