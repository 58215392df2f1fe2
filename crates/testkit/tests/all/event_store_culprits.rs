//! Logs with one flaw each. A contract that lets one of them pass is no contract.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{
        AppendError, AppendRequest, Appended, EventFilter, EventStore, Page, Position, Precondition, RecordedEvent,
        StreamId,
    },
};
use devskyy_testkit::{
    contracts::event_store::{self as promise, LogUnderTest},
    fakes::InMemoryEventStore,
};
use futures_util::FutureExt;

/// What a culprit does to each request before it asks an honest log.
type Flaw = fn(&mut AppendRequest);

struct Flawed {
    honest: InMemoryEventStore,
    flaw: Flaw,
    half: bool,
}

#[async_trait]
impl EventStore for Flawed {
    async fn append(&self, mut request: AppendRequest) -> Result<Appended, AppendError> {
        (self.flaw)(&mut request);
        let asked = self.honest.append(request.clone()).await;
        if asked.is_err() && self.half {
            request.writes.truncate(1);
            let _ = self.honest.append(request).await;
        }
        asked
    }

    async fn read_stream(&self, stream: StreamId, after: u64, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        self.honest.read_stream(stream, after, max).await
    }

    async fn read_all(&self, after: Position, max: usize, filter: &EventFilter) -> Result<Page, PortError> {
        self.honest.read_all(after, max, filter).await
    }

    async fn head(&self) -> Result<Position, PortError> {
        self.honest.head().await
    }

    async fn beyond(&self, position: Position) -> Position {
        self.honest.beyond(position).await
    }
}

/// A log under trial. With `forgets` a restart loses everything.
struct Suspect {
    store: Arc<dyn EventStore>,
    forgets: bool,
}

#[async_trait]
impl LogUnderTest for Suspect {
    fn store(&self) -> Arc<dyn EventStore> {
        self.store.clone()
    }

    async fn restart(&mut self) {
        if self.forgets {
            self.store = Arc::new(InMemoryEventStore::default());
        }
    }
}

fn flawed(flaw: Flaw) -> Suspect {
    suspect(Flawed { honest: InMemoryEventStore::default(), flaw, half: false })
}

fn suspect(store: impl EventStore + 'static) -> Suspect {
    Suspect { store: Arc::new(store), forgets: false }
}

macro_rules! caught {
    ($culprit:expr, by $($promise:ident),+) => {{
        $(
            let verdict = AssertUnwindSafe(promise::$promise(&mut $culprit)).catch_unwind().await;
            assert!(verdict.is_err(), "{} lets it pass", stringify!($promise));
        )+
    }};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_ignores_versions_is_caught() {
    let ignores: Flaw = |request| request.writes.iter_mut().for_each(|write| write.precondition = Precondition::Any);
    caught!(flawed(ignores), by each_precondition_holds_in_exactly_its_states, of_many_creators_exactly_one_wins,
        a_conflict_names_the_stream_and_both_versions);
}

#[tokio::test]
async fn a_log_that_forgets_on_restart_is_caught() {
    let mut forgetful = suspect(InMemoryEventStore::default());
    forgetful.forgets = true;
    caught!(forgetful, by everything_survives_a_restart);
}

#[tokio::test]
async fn a_log_that_ignores_keys_is_caught() {
    caught!(flawed(|request| request.idempotency = None), by a_repeated_key_is_answered_with_the_first_positions);
    caught!(flawed(|request| request.idempotency = None), by a_key_is_bound_to_what_was_asked);
}

#[tokio::test]
async fn a_log_that_ignores_claims_is_caught() {
    caught!(flawed(|request| request.claims.clear()), by a_claimed_value_has_one_owner);
}

#[tokio::test]
async fn a_log_that_records_half_a_request_is_caught() {
    let half = Flawed { honest: InMemoryEventStore::default(), flaw: |_| (), half: true };
    caught!(suspect(half), by several_streams_are_recorded_together_or_not_at_all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_whose_positions_are_taken_before_they_are_visible_is_caught() {
    caught!(suspect(NaiveTail::default()), by a_live_reader_sees_every_event_once_and_in_order);
}

/// Positions come from a sequence, and become visible when their own transaction happens to commit: the reader's
/// cursor moves past those that are still under way.
#[derive(Default)]
struct NaiveTail {
    sequence: AtomicU64,
    template: InMemoryEventStore,
    visible: Mutex<BTreeMap<Position, RecordedEvent>>,
}

#[async_trait]
impl EventStore for NaiveTail {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        self.template.append(request).await?;
        let position = self.sequence.fetch_add(1, Ordering::SeqCst) + 1;
        tokio::time::sleep(Duration::from_millis(if position.is_multiple_of(3) { 12 } else { 1 })).await;
        let Some(mut event) = self.template.events().pop() else { return Err(AppendError::Overloaded) };
        event.position = position;
        self.visible.lock().unwrap().insert(position, event);
        Ok(Appended { first: position, last: position, streams: Vec::new(), replayed: false })
    }

    async fn read_stream(&self, stream: StreamId, after: u64, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        self.template.read_stream(stream, after, max).await
    }

    async fn read_all(&self, after: Position, max: usize, _: &EventFilter) -> Result<Page, PortError> {
        let visible = self.visible.lock().unwrap();
        let events: Vec<_> = visible.range(after + 1..).take(max).map(|(_, event)| event.clone()).collect();
        Ok(Page { scanned_to: events.last().map_or(after, |event| event.position), events })
    }

    async fn head(&self) -> Result<Position, PortError> {
        Ok(self.visible.lock().unwrap().keys().next_back().copied().unwrap_or_default())
    }

    async fn beyond(&self, position: Position) -> Position {
        loop {
            match self.head().await {
                Ok(head) if head > position => return head,
                _ => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    }
}
