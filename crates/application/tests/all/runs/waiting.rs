//! A client waits for a run while others keep the log busy.

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
    runs::{RunEvents, StartRun},
};
use devskyy_domain::{
    identity::Roster,
    kernel::{
        Version,
        ids::{RosterId, RunId},
    },
    runs::Priority,
};
use uuid::Uuid;

use super::world::World;

/// A log that counts its reads.
pub(crate) struct CountedStore {
    log: Arc<dyn EventStore>,
    reads: AtomicUsize,
    events: AtomicUsize,
}

impl CountedStore {
    pub(crate) fn new(log: Arc<dyn EventStore>) -> Self {
        Self { log, reads: AtomicUsize::default(), events: AtomicUsize::default() }
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }

    /// The number of events read from single streams.
    fn events_read(&self) -> usize {
        self.events.load(Ordering::Relaxed)
    }
}

impl devskyy_application::es::Rewindable for CountedStore {}

#[async_trait]
impl EventStore for CountedStore {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        self.log.append(request).await
    }

    async fn read_stream(&self, stream: StreamId, after: Version, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let events = self.log.read_stream(stream, after, max).await?;
        self.events.fetch_add(events.len(), Ordering::Relaxed);
        Ok(events)
    }

    async fn read_all(&self, after: Position, max: usize, filter: &EventFilter) -> Result<Page, PortError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.log.read_all(after, max, filter).await
    }

    async fn head(&self) -> Result<Position, PortError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.log.head().await
    }

    async fn beyond(&self, position: Position, rewinds: u64) -> Position {
        self.log.beyond(position, rewinds).await
    }
}

fn others_write(world: &World) {
    let left = Roster.let_go(Uuid::from_u128(1).into(), 2).unwrap();
    let write = Repository::<Roster>::write(RosterId::from(Uuid::from_u128(2)), Precondition::Any, &left).unwrap();
    let context = World::actor().event_context(None);
    let request = AppendRequest { writes: vec![write], claims: vec![], idempotency: None, context };
    world.ask(world.store.append(request)).unwrap();
}

/// Starts a run that asks for an approval, and waits half a minute for it.
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

/// A run that has ended after a hundred calls.
fn a_long_run(world: &World) -> RunId {
    let items = (0..100).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let text = format!(
        r#"{{"tools":{{"t":{}}},"steps":[{{"id":"a","for_each":".input","tool":"t","arguments":{{"$jq":".item"}}}}]}}"#,
        super::workflows::tool("idempotent", "echo")
    );
    let run = world.start(&text, &format!("[{items}]"));
    world.work_to_end(run);
    run
}

#[test]
fn whether_somebody_may_go_on_listening_is_not_asked_of_the_log() {
    let world = World::new();
    let run = a_long_run(&world);
    let before = world.counted.reads();
    world.ask(world.runs.events.may_listen(&World::actor(), run)).unwrap();
    assert_eq!(world.counted.reads(), before);
}

#[test]
fn that_a_run_has_not_changed_is_not_asked_of_the_log() {
    let world = World::new();
    let run = a_long_run(&world);
    let before = world.counted.reads();
    world.ask(world.runs.get.version(&World::actor(), run)).unwrap();
    assert_eq!(world.counted.reads(), before);
}

#[test]
fn a_page_deep_in_a_long_run_begins_where_the_last_one_ended() {
    let world = World::new();
    let run = a_long_run(&world);
    let events = |after| RunEvents { after, known: 0, limit: 20 };
    let (mut told, mut after, mut most) = (Vec::new(), 0, 0);
    loop {
        let before = world.counted.events_read();
        let page = world.ask(world.runs.events.handle(&World::actor(), run, events(after))).unwrap();
        most = most.max(world.counted.events_read() - before);
        let Some(last) = page.events.last() else { break };
        after = last.position;
        told.extend(page.events);
    }
    let version = world.view(run).summary.version;
    let sequences: Vec<_> = told.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1..=version).collect::<Vec<_>>(), "every event once");
    assert!(most <= 45, "a page of 20 reads {most} events");
}

/// How often the log is read when a client lacks so many of a run's last events.
fn reads_of_a_look(world: &World, run: RunId, lacking: usize) -> usize {
    let events = |after, limit| RunEvents { after, known: 0, limit };
    let all = world.ask(world.runs.events.handle(&World::actor(), run, events(0, 500))).unwrap().events;
    let after = all[all.len() - 1 - lacking].position;
    let before = world.counted.reads();
    let page = world.ask(world.runs.events.handle(&World::actor(), run, events(after, 20))).unwrap();
    assert_eq!(page.events, all[all.len() - lacking..]);
    world.counted.reads() - before
}

#[test]
fn a_look_of_somebody_who_has_all_of_a_long_run_costs_three_reads() {
    let world = World::new();
    let run = a_long_run(&world);
    assert_eq!(reads_of_a_look(&world, run, 0), 3, "the head, the last event, and what follows it");
}

#[test]
fn a_look_of_somebody_who_is_a_little_behind_costs_no_search_of_the_whole_run() {
    let world = World::new();
    let run = a_long_run(&world);
    let costs = reads_of_a_look(&world, run, 3);
    assert!(costs <= 7, "{costs} reads");
}

#[test]
fn whoever_knows_all_of_a_run_that_has_ended_is_told_so() {
    let world = World::new();
    let run = a_long_run(&world);
    let after = world.ask(world.store.head()).unwrap();
    let look = RunEvents { after, known: 0, limit: 20 };
    let page = world.ask(world.runs.events.handle(&World::actor(), run, look)).unwrap();
    assert_eq!((page.events.len(), page.ended(), page.more), (0, true, false));
}
