use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::{
    error::{Error, PortError},
    es::{Checkpoints, EventStore, Precondition, Reaction, RecordedEvent, Subscription},
};
use devskyy_testkit::{
    contracts::event_store::{Request, lamp, stream},
    fakes::{FixedClock, InMemoryCheckpoints, InMemoryEventStore, SequentialIds},
};
use tokio::{sync::oneshot, time::timeout};

/// Notes the positions it saw; fails on one of them in a chosen way, a number of times.
struct Noting {
    seen: Mutex<Vec<u64>>,
    fails_at: u64,
    failures: AtomicU32,
    failure: fn() -> Error,
}

impl Noting {
    fn failing(fails_at: u64, times: u32, failure: fn() -> Error) -> Arc<Self> {
        Arc::new(Self { seen: Mutex::default(), fails_at, failures: AtomicU32::new(times), failure })
    }

    fn seen(&self) -> Vec<u64> {
        self.seen.lock().unwrap().clone()
    }
}

#[async_trait]
impl Reaction for Noting {
    fn name(&self) -> &'static str {
        "noting"
    }

    fn categories(&self) -> &'static [&'static str] {
        &["lamp"]
    }

    async fn handle(&self, event: &RecordedEvent) -> Result<(), Error> {
        let left = self.failures.load(Ordering::Relaxed);
        if event.position == self.fails_at && left > 0 {
            self.failures.store(left - 1, Ordering::Relaxed);
            return Err((self.failure)());
        }
        self.seen.lock().unwrap().push(event.position);
        Ok(())
    }
}

struct Rig {
    clock: Arc<FixedClock>,
    store: Arc<InMemoryEventStore>,
    checkpoints: Arc<InMemoryCheckpoints>,
}

impl Rig {
    /// A log of six events; the third is not about a lamp.
    async fn new() -> Self {
        let clock = Arc::new(FixedClock::default());
        let store = Arc::new(InMemoryEventStore::default());
        Request::to(lamp(1), &["a", "b"]).ask(&*store).await.unwrap();
        let switch = Request::to(stream("switch", 1), &["c"]);
        switch.and(lamp(2), Precondition::Any, &["d", "e", "f"]).ask(&*store).await.unwrap();
        Self { checkpoints: Arc::new(InMemoryCheckpoints::with_clock(clock.clone())), clock, store }
    }

    fn subscription(&self, owner: u64) -> Subscription {
        let owner = SequentialIds::nth(owner);
        Subscription::new(self.store.clone(), self.checkpoints.clone(), self.clock.clone(), owner)
    }

    /// Runs until everything is dealt with, then stops it orderly.
    async fn run_until(&self, reaction: &Noting, done: impl Fn() -> bool) {
        let (stop, stopped) = oneshot::channel::<()>();
        let wait = async {
            while !done() {
                // Backing off and leases wait for this clock.
                self.clock.advance(Duration::from_millis(200));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            drop(stop);
        };
        let subscription = self.subscription(1);
        let run = subscription.run(reaction, async {
            let _ = stopped.await;
        });
        let (ended, ()) = timeout(Duration::from_secs(10), futures_util::future::join(run, wait)).await.unwrap();
        ended.unwrap();
    }
}

fn away() -> Error {
    PortError::transient("mail", "sending", "nobody answers").into()
}

#[tokio::test]
async fn a_reaction_sees_each_wanted_event_once_and_in_order() {
    let (rig, reaction) = (Rig::new().await, Noting::failing(0, 0, away));
    rig.run_until(&reaction, || rig.checkpoints.position("noting") == 6).await;
    assert_eq!(reaction.seen(), [1, 2, 4, 5, 6]);
}

#[tokio::test]
async fn a_reaction_continues_behind_its_checkpoint() {
    let (rig, reaction) = (Rig::new().await, Noting::failing(0, 0, away));
    rig.run_until(&reaction, || rig.checkpoints.position("noting") == 6).await;
    Request::to(lamp(1), &["g"]).ask(&*rig.store).await.unwrap();
    rig.run_until(&reaction, || rig.checkpoints.position("noting") == 7).await;
    assert_eq!(reaction.seen(), [1, 2, 4, 5, 6, 7]);
}

#[tokio::test]
async fn a_failure_that_passes_is_tried_again_in_place() {
    let (rig, reaction) = (Rig::new().await, Noting::failing(4, 3, away));
    rig.run_until(&reaction, || rig.checkpoints.position("noting") == 6).await;
    assert_eq!((reaction.seen(), rig.checkpoints.failure("noting")), (vec![1, 2, 4, 5, 6], None));
}

#[tokio::test]
async fn a_failure_for_good_stops_the_line_where_people_can_see_it() {
    let (rig, reaction) = (Rig::new().await, Noting::failing(4, 1, || Error::NotFound("the mailbox".to_owned())));
    let stopped = rig.subscription(1).run(&*reaction, std::future::pending()).await.unwrap_err();
    assert_eq!((stopped.position, reaction.seen()), (4, vec![1, 2]));
    assert_eq!(rig.checkpoints.position("noting"), 3);
    assert_eq!(rig.checkpoints.failure("noting").unwrap().0, 4);
    rig.run_until(&reaction, || rig.checkpoints.position("noting") == 6).await;
    assert_eq!((reaction.seen(), rig.checkpoints.failure("noting")), (vec![1, 2, 4, 5, 6], None));
}

#[tokio::test]
async fn only_the_holder_of_the_lease_works() {
    let (rig, reaction) = (Rig::new().await, Noting::failing(0, 0, away));
    rig.checkpoints.claim("noting", SequentialIds::nth(2), Duration::from_secs(60)).await.unwrap().unwrap();
    let waiting = rig.subscription(1);
    let run = waiting.run(&*reaction, tokio::time::sleep(Duration::from_millis(50)));
    run.await.unwrap();
    assert_eq!(reaction.seen(), Vec::<u64>::new());
    rig.clock.advance(Duration::from_secs(61));
    rig.run_until(&reaction, || rig.checkpoints.position("noting") == 6).await;
    assert_eq!(rig.store.head().await.unwrap(), 6);
}
