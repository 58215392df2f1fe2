//! Cancelled and overdue runs end, however busy their worker and however long the queue is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::TimeDelta;
use devskyy_application::{
    error::PortError,
    ports::Clock,
    runs::{Appetite, Claim, Claims, RunQueue, RunStatus, RunWorker, StartRun, WorkerPorts},
};
use devskyy_domain::{kernel::ids::RunId, runs::Priority};

use super::{
    workflows::tool,
    world::{World, json},
};

/// As many runs as a worker has slots.
const PLACES: usize = 32;
/// More polls than fit into a minute.
const MINUTE: usize = 400;

fn hanging() -> String {
    format!(r#"{{"tools":{{"t":{}}},"steps":[{{"id":"a","tool":"t"}}],"output":7}}"#, tool("unsafe", "hangs"))
}

fn urgent(world: &World, deadline: Option<TimeDelta>, priority: Priority) -> RunId {
    let (agent, input) = (world.agent(1, &hanging()), json("null"));
    let deadline = deadline.map(|left| world.clock.now() + left);
    let command = StartRun { agent, input, priority, deadline, wait: None, idempotency: None };
    world.ask(world.runs.start.handle(&World::actor(), command)).unwrap().run.summary.id
}

/// A worker whose slots are all taken by runs that do not end.
fn full(world: &World) -> RunWorker {
    for _ in 0..PLACES {
        urgent(world, None, Priority::High);
    }
    world.worker()
}

#[test]
fn a_worker_without_room_ends_an_overdue_run() {
    let world = World::new();
    let worker = full(&world);
    let run = urgent(&world, Some(TimeDelta::seconds(30)), Priority::Low);
    world.drive(&worker, MINUTE, |world| world.status(run).ended());
    assert_eq!(world.status(run), RunStatus::Expired);
}

#[test]
fn a_worker_without_room_begins_nothing_more() {
    let world = World::new();
    let worker = full(&world);
    let run = urgent(&world, None, Priority::Low);
    world.drive(&worker, MINUTE, |_| false);
    assert_eq!((world.status(run), world.tools.made().len()), (RunStatus::Queued, PLACES));
}

/// A queue that leases once; from then on others come first.
struct Once {
    queue: Arc<dyn RunQueue>,
    handed_out: AtomicBool,
    /// Whether the lease has passed to another worker by then.
    disowns: bool,
}

#[async_trait]
impl RunQueue for Once {
    async fn claim(&self, worker: &str, appetite: Appetite) -> Result<Claims, PortError> {
        if self.handed_out.load(Ordering::Relaxed) {
            return Ok(Claims::default());
        }
        let claims = self.queue.claim(worker, appetite).await?;
        self.handed_out.store(!claims.runs.is_empty(), Ordering::Relaxed);
        Ok(claims)
    }

    async fn renew(&self, worker: &str, claim: Claim, lease: Duration) -> Result<bool, PortError> {
        Ok(!self.disowns && self.queue.renew(worker, claim, lease).await?)
    }

    async fn release(&self, worker: &str, claim: Claim) -> Result<(), PortError> {
        self.queue.release(worker, claim).await
    }
}

/// How a run ends that is cancelled while a worker holds it to which the queue leases nothing more.
fn cancelled_in_hand(disowns: bool) -> RunStatus {
    let world = World::new();
    let run = world.start(&hanging(), "null");
    let worker = world.worker_with(|ports| {
        let queue = Once { queue: ports.queue.clone(), handed_out: AtomicBool::new(false), disowns };
        WorkerPorts { queue: Arc::new(queue), ..ports }
    });
    let cancelled = AtomicBool::new(false);
    world.drive(&worker, MINUTE, |world| {
        if !world.tools.made().is_empty() && !cancelled.swap(true, Ordering::Relaxed) {
            world.cancel(run).unwrap();
        }
        world.status(run).ended()
    });
    world.status(run)
}

#[test]
fn a_run_that_is_cancelled_in_the_hands_of_its_worker_is_ended_by_that_one() {
    assert_eq!(cancelled_in_hand(false), RunStatus::Cancelled);
}

#[test]
fn a_cancelled_run_whose_lease_is_anothers_is_left_to_that_one() {
    assert_eq!(cancelled_in_hand(true), RunStatus::Cancelling);
}
