use std::{
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::{
    error::{Error, PortError},
    es::{Checkpoints, EventStore, Precondition, Reaction, Reader, RecordedEvent, Subscription},
};
use devskyy_testkit::{
    contracts::event_store::{Request, lamp, stream},
    fakes::{FixedClock, InMemoryCheckpoints, InMemoryEventStore, SequentialIds},
};
use tokio::{
    sync::{Notify, oneshot},
    time::timeout,
};

use super::logs::{PutBack, Unreadable, damage, silence};

/// Records the positions it saw; fails at one of them in a given way, a number of times.
pub(super) struct Noting {
    seen: Mutex<Vec<u64>>,
    fails_at: u64,
    failures: AtomicU32,
    failure: fn() -> Error,
}

impl Noting {
    pub(super) fn failing(fails_at: u64, times: u32, failure: fn() -> Error) -> Arc<Self> {
        Arc::new(Self { seen: Mutex::default(), fails_at, failures: AtomicU32::new(times), failure })
    }

    pub(super) fn seen(&self) -> Vec<u64> {
        self.seen.lock().unwrap().clone()
    }
}

#[async_trait]
impl Reaction for Noting {
    fn reader(&self) -> Reader {
        Reader { name: "noting", categories: &["lamp"] }
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
    /// The same log, as subscriptions read it.
    read: Arc<dyn EventStore>,
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
        let checkpoints = Arc::new(InMemoryCheckpoints::with_clock(clock.clone()));
        Self { checkpoints, clock, read: store.clone(), store }
    }

    /// The same log, with one unreadable event.
    async fn damaged(at: u64, failure: fn() -> PortError) -> (Self, Arc<Unreadable>) {
        let rig = Self::new().await;
        let damaged = Arc::new(Unreadable { log: rig.store.clone(), at: AtomicU64::new(at), failure });
        (Self { read: damaged.clone(), ..rig }, damaged)
    }

    fn subscription(&self, owner: u64) -> Subscription {
        let owner = SequentialIds::nth(owner);
        Subscription::new(self.read.clone(), self.checkpoints.clone(), self.clock.clone(), owner)
    }

    /// Runs until everything is processed, then stops gracefully.
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
async fn an_event_that_cannot_be_read_stops_the_line_behind_those_before_it() {
    let ((rig, _), reaction) = (Rig::damaged(5, damage).await, Noting::failing(0, 0, away));
    let stopped = rig.subscription(1).run(&*reaction, std::future::pending()).await.unwrap_err();
    assert_eq!((stopped.position, reaction.seen(), rig.checkpoints.position("noting")), (5, vec![1, 2, 4], 4));
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_told_with_its_place_and_reason() {
    let ((rig, _), reaction) = (Rig::damaged(5, damage).await, Noting::failing(0, 0, away));
    rig.subscription(1).run(&*reaction, std::future::pending()).await.unwrap_err();
    let (at, why) = rig.checkpoints.failure("noting").unwrap();
    assert!(at == 5 && why.contains("does not have 32 bytes"), "{at}: {why}");
}

#[tokio::test]
async fn a_line_goes_on_once_its_events_can_be_read() {
    let ((rig, damaged), reaction) = (Rig::damaged(5, damage).await, Noting::failing(0, 0, away));
    rig.subscription(1).run(&*reaction, std::future::pending()).await.unwrap_err();
    damaged.at.store(0, Ordering::Relaxed);
    rig.run_until(&reaction, || rig.checkpoints.position("noting") == 6).await;
    assert_eq!((reaction.seen(), rig.checkpoints.failure("noting")), (vec![1, 2, 4, 5, 6], None));
}

#[tokio::test]
async fn a_log_that_does_not_answer_for_long_is_told_while_the_line_waits_for_it() {
    let ((rig, damaged), reaction) = (Rig::damaged(5, silence).await, Noting::failing(0, 0, away));
    let told = Mutex::new(None);
    rig.run_until(&reaction, || {
        let mut told = told.lock().unwrap();
        *told = told.take().or_else(|| rig.checkpoints.delayed("noting"));
        if told.is_some() {
            damaged.at.store(0, Ordering::Relaxed);
        }
        rig.checkpoints.position("noting") == 6
    })
    .await;
    let (at, why) = told.into_inner().unwrap().unwrap();
    assert!(at == 1 && why.contains("nobody answers"), "{at}: {why}");
}

#[tokio::test]
async fn what_passed_after_many_attempts_is_told_no_more() {
    let (rig, reaction) = (Rig::new().await, Noting::failing(4, 8, away));
    rig.run_until(&reaction, || rig.checkpoints.position("noting") == 6).await;
    assert_eq!((reaction.seen(), rig.checkpoints.delayed("noting")), (vec![1, 2, 4, 5, 6], None));
}

#[tokio::test]
async fn a_line_whose_place_the_log_does_not_hold_any_more_stops_without_moving() {
    let (rig, reaction) = (Rig::new().await, Noting::failing(0, 0, away));
    rig.run_until(&reaction, || rig.checkpoints.position("noting") == 6).await;
    rig.checkpoints.lead_astray("noting");
    let stopped = rig.subscription(1).run(&*reaction, std::future::pending()).await.unwrap_err();
    assert_eq!((stopped.position, rig.checkpoints.position("noting")), (7, 6));
    assert!(rig.checkpoints.failure("noting").unwrap().1.contains("put back to an earlier state"));
}

#[tokio::test]
async fn a_line_begins_again_at_its_checkpoint_when_the_log_is_put_back() {
    let (rig, reaction) = (Rig::new().await, Noting::failing(0, 0, away));
    let logs = [(); 2].map(|()| Arc::new(InMemoryEventStore::default()));
    let [old, new] = logs.clone();
    Request::to(lamp(1), &["a"]).ask(&*old).await.unwrap();
    let put_back = Arc::new(PutBack { logs, times: AtomicU64::new(0) });
    let rig = Rig { read: put_back.clone(), ..rig };
    let subscription = rig.subscription(1);
    let mut run = pin!(subscription.run(&*reaction, std::future::pending()));
    let others = async {
        settle().await;
        // None of these is wanted, so the progress of the subscription is stored nowhere.
        Request::to(stream("switch", 1), &["b", "c", "d"]).ask(&*old).await.unwrap();
        settle().await;
        Request::to(lamp(1), &["a", "e", "f", "g", "h"]).ask(&*new).await.unwrap();
        put_back.times.store(1, Ordering::Relaxed);
        Request::to(stream("switch", 1), &["wakes"]).ask(&*old).await.unwrap();
        settle().await;
    };
    tokio::select! { () = others => {}, ended = &mut run => panic!("{ended:?}") }
    assert_eq!(reaction.seen(), [1, 2, 3, 4, 5]);
}

/// Processes an event until it is released.
#[derive(Default)]
struct Slow {
    began: Notify,
    done: Notify,
}

#[async_trait]
impl Reaction for Slow {
    fn reader(&self) -> Reader {
        Reader { name: "slow", categories: &["switch"] }
    }

    async fn handle(&self, _: &RecordedEvent) -> Result<(), Error> {
        self.began.notify_one();
        self.done.notified().await;
        Ok(())
    }
}

/// Lets all runnable tasks run: everything here waits for the clock, for one another, or for nothing.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

impl Rig {
    /// Advances time by minutes, a second at a time.
    async fn pass(&self, seconds: u32) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            settle().await;
        }
    }

    async fn rival_claims(&self) -> bool {
        self.checkpoints.claim("slow", SequentialIds::nth(2), Duration::from_secs(600)).await.unwrap().is_some()
    }
}

#[tokio::test]
async fn a_reaction_that_takes_a_minute_keeps_its_lease_against_a_rival() {
    let (rig, slow) = (Rig::new().await, Slow::default());
    let holder = rig.subscription(1);
    let mut run = pin!(holder.run(&slow, std::future::pending()));
    let rival = async {
        slow.began.notified().await;
        let mut claimed = false;
        for _ in 0..60 {
            rig.pass(1).await;
            claimed |= rig.rival_claims().await;
        }
        claimed
    };
    let claimed = tokio::select! { claimed = rival => claimed, ended = &mut run => panic!("{ended:?}") };
    assert!(!claimed);
}

#[tokio::test]
async fn a_reaction_whose_lease_passes_on_meanwhile_is_given_up() {
    let (rig, slow) = (Rig::new().await, Slow::default());
    let holder = rig.subscription(1);
    let mut run = pin!(holder.run(&slow, std::future::pending()));
    let rival = async {
        slow.began.notified().await;
        // Its process is suspended for longer than its lease lasts.
        rig.clock.advance(Duration::from_secs(16));
        assert!(rig.rival_claims().await);
        rig.pass(6).await;
        // A task that still processed the event would take this.
        slow.done.notify_one();
        settle().await;
        timeout(Duration::from_millis(10), slow.done.notified()).await.is_ok()
    };
    let given_up = tokio::select! { given_up = rival => given_up, ended = &mut run => panic!("{ended:?}") };
    assert!(given_up);
}

#[tokio::test]
async fn whoever_lost_the_lease_meanwhile_moves_no_checkpoint() {
    let (rig, slow) = (Rig::new().await, Slow::default());
    let holder = rig.subscription(1);
    let mut run = pin!(holder.run(&slow, std::future::pending()));
    let rival = async {
        slow.began.notified().await;
        rig.clock.advance(Duration::from_secs(16));
        assert!(rig.rival_claims().await);
        slow.done.notify_one();
        rig.pass(10).await;
    };
    tokio::select! { () = rival => {}, ended = &mut run => panic!("{ended:?}") }
    assert_eq!(rig.checkpoints.position("slow"), 0);
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
