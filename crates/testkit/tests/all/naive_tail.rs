//! A log whose readers miss events.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{AppendError, AppendRequest, Appended, EventFilter, EventStore, Page, Position, RecordedEvent, StreamId},
};
use devskyy_testkit::{
    contracts::{
        event_store::{self as promise, LogUnderTest},
        is_broken,
    },
    fakes::InMemoryEventStore,
};

/// Positions come from a sequence, and become visible whenever their own transaction commits: the reader's cursor
/// moves past those that are still in progress.
#[derive(Default)]
struct NaiveTail {
    sequence: AtomicU64,
    template: InMemoryEventStore,
    visible: Mutex<BTreeMap<Position, RecordedEvent>>,
}

impl devskyy_application::es::Rewindable for NaiveTail {}

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
        let hash = events.last().map(|event| event.hash);
        Ok(Page { scanned_to: events.last().map_or(after, |event| event.position), hash, events })
    }

    async fn head(&self) -> Result<Position, PortError> {
        Ok(self.visible.lock().unwrap().keys().next_back().copied().unwrap_or_default())
    }

    async fn beyond(&self, position: Position, _: u64) -> Position {
        loop {
            match self.head().await {
                Ok(head) if head > position => return head,
                _ => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    }
}

struct Suspect(Arc<NaiveTail>);

#[async_trait]
impl LogUnderTest for Suspect {
    fn store(&self) -> Arc<dyn EventStore> {
        self.0.clone()
    }

    async fn restart(&mut self) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_whose_positions_are_taken_before_they_are_visible_is_caught() {
    let mut culprit = Suspect(Arc::default());
    assert!(is_broken(promise::a_live_reader_sees_every_event_once_and_in_order(&mut culprit)).await);
}
