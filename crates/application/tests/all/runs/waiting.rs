//! Somebody waits for a run while others keep the log busy.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{
        AppendError, AppendRequest, Appended, EventFilter, EventStore, Page, Position, Precondition, RecordedEvent,
        Repository, StreamId,
    },
    runs::StartRun,
};
use devskyy_domain::{
    identity::Roster,
    kernel::{Version, ids::RosterId},
    runs::Priority,
};
use uuid::Uuid;

use super::world::World;

/// A log that counts how often it is read.
pub(crate) struct CountedStore {
    log: Arc<dyn EventStore>,
    reads: AtomicUsize,
}

impl CountedStore {
    pub(crate) fn new(log: Arc<dyn EventStore>) -> Self {
        Self { log, reads: AtomicUsize::default() }
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl EventStore for CountedStore {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        self.log.append(request).await
    }

    async fn read_stream(&self, stream: StreamId, after: Version, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.log.read_stream(stream, after, max).await
    }

    async fn read_all(&self, after: Position, max: usize, filter: &EventFilter) -> Result<Page, PortError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.log.read_all(after, max, filter).await
    }

    async fn head(&self) -> Result<Position, PortError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.log.head().await
    }

    async fn beyond(&self, position: Position) -> Position {
        self.log.beyond(position).await
    }
}

fn others_write(world: &World) {
    let left = Roster.let_go(Uuid::from_u128(1).into(), 2).unwrap();
    let write = Repository::<Roster>::write(RosterId::from(Uuid::from_u128(2)), Precondition::Any, &left).unwrap();
    let context = World::actor().event_context(None);
    let request = AppendRequest { writes: vec![write], claims: vec![], idempotency: None, context };
    world.ask(world.store.append(request)).unwrap();
}

/// Starts a run that asks somebody, and waits half a minute for it.
fn a_run_and_its_end(world: &World) -> StartRun {
    let agent = world.agent(1, r#"{"steps":[{"id":"ask","approval":{"prompt":"go?"}}],"output":"done"}"#);
    let (input, wait) = (super::world::json("null"), Some(Duration::from_secs(30)));
    StartRun { agent, input, priority: Priority::Normal, deadline: None, wait, idempotency: None }
}

#[test]
fn whoever_waits_for_a_run_asks_seldom_however_much_others_write() {
    let world = World::new();
    let actor = World::actor();
    let mut waiting = pin!(world.runs.start.handle(&actor, a_run_and_its_end(&world)));
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    let before = world.counted.reads();
    for _ in 0..2_000 {
        others_write(&world);
        world.clock.advance(Duration::from_millis(1));
        assert!(waiting.as_mut().poll(&mut context).is_pending());
    }
    let asked = world.counted.reads() - before;
    assert!(asked <= 25, "{asked} reads in two seconds");
}

#[test]
fn whoever_waits_for_a_run_is_answered_soon_after_its_end_among_much_that_others_write() {
    let world = World::new();
    let actor = World::actor();
    let mut waiting = pin!(world.runs.start.handle(&actor, a_run_and_its_end(&world)));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..1_000 {
        others_write(&world);
        world.clock.advance(Duration::from_millis(1));
        assert!(waiting.as_mut().poll(&mut context).is_pending());
    }
    let run = world.store.events().iter().find(|event| event.category == "run").unwrap().stream_id.into();
    world.cancel(run).unwrap();
    world.clock.advance(Duration::from_millis(100));
    let answered = waiting.as_mut().poll(&mut context);
    assert!(answered.is_ready());
}
