//! A worker that is late for a run it leased takes it from no other worker.

use std::{
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{AppendError, AppendRequest, Appended, EventStore, RecordedEvent, StreamId},
    runs::{RunStatus, RunWorker, WorkerPorts},
};
use devskyy_domain::kernel::{Version, ids::RunId};
use devskyy_testkit::reads_through;
use tokio::sync::watch;

use super::{
    workflows::tool,
    world::{ENOUGH, World},
};

/// Longer than a lease.
const LONG: Duration = Duration::from_secs(60);

/// What a log delays while its gate is shut.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stalls {
    /// The claim of a run.
    Claims,
    /// Reads of a run, which fail in the end.
    Reads,
}

/// A log that delays a worker.
struct Stalling {
    log: Arc<dyn EventStore>,
    stalls: Stalls,
    shut: Gate,
}

/// Whether the gate of a log is shut.
type Gate = Arc<watch::Sender<bool>>;

impl Stalling {
    async fn wait(&self) {
        let _ = self.shut.subscribe().wait_for(|shut| !shut).await;
    }
}

impl devskyy_application::es::Rewindable for Stalling {}

#[async_trait]
impl EventStore for Stalling {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        let mut events = request.writes.iter().flat_map(|write| &write.events);
        if self.stalls == Stalls::Claims && events.any(|event| event.event_type == "run.claimed") {
            self.wait().await;
        }
        self.log.append(request).await
    }

    async fn read_stream(&self, stream: StreamId, after: Version, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        if self.stalls == Stalls::Reads && *self.shut.borrow() {
            self.wait().await;
            return Err(PortError::transient("event store", "reading a run", "the connection was lost"));
        }
        self.log.read_stream(stream, after, max).await
    }

    reads_through!(log: read_all, head, beyond);
}

/// A worker that is delayed, and its gate.
fn stalled(world: &World, stalls: Stalls) -> (RunWorker, Gate) {
    let shut = Gate::new(watch::Sender::new(true));
    let of_worker = shut.clone();
    let worker = world.worker_with(|ports| {
        let store = Arc::new(Stalling { log: ports.store.clone(), stalls, shut: of_worker });
        WorkerPorts { store, ..ports }
    });
    (worker, shut)
}

/// Lets a worker do what it can at this moment.
fn poll(mut work: Pin<&mut impl Future<Output = ()>>) {
    for _ in 0..200 {
        assert!(work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
}

fn open(gate: &Gate) {
    gate.send_replace(false);
}

/// A run that makes one call, which never returns.
fn calling(world: &World, effect: &str) -> RunId {
    world.start(&format!(r#"{{"tools":{{"t":{}}},"steps":[{{"id":"a","tool":"t"}}]}}"#, tool(effect, "hangs")), "null")
}

/// A worker leases a run and is delayed beyond its lease; meanwhile another one claims the run and makes its call.
fn overtaken(stalls: Stalls) -> World {
    let world = World::new();
    calling(&world, "unsafe");
    let (late, gate) = stalled(&world, stalls);
    let mut late = pin!(late.work(std::future::pending()));
    poll(late.as_mut());
    world.clock.advance(LONG);
    let other = world.worker();
    let mut other = pin!(other.work(std::future::pending()));
    poll(other.as_mut());
    assert_eq!(world.tools.made().len(), 1, "the other worker has made the call");
    open(&gate);
    poll(late.as_mut());
    world
}

#[test]
fn a_late_claim_is_not_recorded_on_top_of_another_workers() {
    assert_eq!(overtaken(Stalls::Claims).times("run.claimed"), 1);
}

#[test]
fn a_worker_that_could_not_read_a_run_does_not_hand_over_another_workers() {
    assert_eq!(overtaken(Stalls::Reads).times("run.parked"), 0);
}

/// A worker leases a run and is delayed beyond its lease, as is a second one; then the first records its claim.
fn recorded_late(then: impl FnOnce(&World)) -> World {
    let world = World::new();
    calling(&world, "unsafe");
    let [(late, first), (holder, second)] = [(); 2].map(|()| stalled(&world, Stalls::Claims));
    let (mut late, mut holder) = (pin!(late.work(std::future::pending())), pin!(holder.work(std::future::pending())));
    poll(late.as_mut());
    world.clock.advance(LONG);
    poll(holder.as_mut());
    open(&first);
    poll(late.as_mut());
    then(&world);
    open(&second);
    poll(holder.as_mut());
    poll(late.as_mut());
    world
}

#[test]
fn a_worker_whose_lease_has_passed_on_makes_no_call() {
    recorded_late(|world| assert_eq!((world.times("run.claimed"), world.tools.made().len()), (1, 0)));
}

#[test]
fn the_holder_of_the_lease_takes_over_from_a_late_claim() {
    let world = recorded_late(|_| {});
    let doubts = world.times("run.outcome_unknown");
    assert_eq!((world.times("run.claimed"), world.tools.made().len(), doubts), (2, 1, 0));
}

#[test]
fn a_worker_that_leases_a_run_again_before_it_claimed_it_executes_it_once() {
    let world = World::new();
    calling(&world, "unsafe");
    let (worker, gate) = stalled(&world, Stalls::Claims);
    let mut work = pin!(worker.work(std::future::pending()));
    poll(work.as_mut());
    world.clock.advance(LONG);
    poll(work.as_mut());
    open(&gate);
    poll(work.as_mut());
    assert_eq!((world.times("run.claimed"), world.tools.made().len()), (1, 1));
}

#[test]
fn a_run_that_is_cancelled_between_its_lease_and_its_claim_is_ended_at_once() {
    let world = World::new();
    let run = calling(&world, "idempotent");
    assert!(world.work_for(ENOUGH, |world| world.tools.made().len() == 1));
    world.clock.advance(LONG);
    let (worker, gate) = stalled(&world, Stalls::Claims);
    let mut work = pin!(worker.work(std::future::pending()));
    poll(work.as_mut());
    world.cancel(run).unwrap();
    open(&gate);
    poll(work.as_mut());
    assert_eq!(world.status(run), RunStatus::Cancelled);
}
