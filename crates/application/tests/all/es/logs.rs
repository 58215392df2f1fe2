//! Logs that fail their readers.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{
        AppendError, AppendRequest, Appended, EventFilter, EventStore, Page, Position, RecordedEvent, Rewindable,
        StreamId,
    },
};
use devskyy_domain::kernel::Version;
use devskyy_testkit::{fakes::InMemoryEventStore, reads_through};

/// A log with one unreadable event; the others can be read in requests that do not include it.
pub(crate) struct Unreadable {
    pub(crate) log: Arc<InMemoryEventStore>,
    pub(crate) at: AtomicU64,
    pub(crate) failure: fn() -> PortError,
}

impl devskyy_application::es::Rewindable for Unreadable {}

#[async_trait]
impl EventStore for Unreadable {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        self.log.append(request).await
    }

    async fn read_all(&self, after: Position, max: usize, filter: &EventFilter) -> Result<Page, PortError> {
        let page = self.log.read_all(after, max, filter).await?;
        let at = self.at.load(Ordering::Relaxed);
        if page.events.iter().any(|event| event.position == at) { Err((self.failure)()) } else { Ok(page) }
    }

    reads_through!(log: read_stream, head, beyond);
}

pub(crate) fn damage() -> PortError {
    PortError::bug("event store", "reading an event", "a stored hash does not have 32 bytes")
}

pub(crate) fn silence() -> PortError {
    PortError::transient("event store", "reading events", "nobody answers")
}

/// A log that is replaced by another one, as by a restore.
pub(crate) struct PutBack {
    pub(crate) logs: [Arc<InMemoryEventStore>; 2],
    pub(crate) times: AtomicU64,
}

impl PutBack {
    fn log(&self) -> &InMemoryEventStore {
        &self.logs[usize::from(self.rewinds() > 0)]
    }
}

impl Rewindable for PutBack {
    fn rewinds(&self) -> u64 {
        self.times.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl EventStore for PutBack {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        self.log().append(request).await
    }

    async fn read_stream(&self, stream: StreamId, after: Version, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        self.log().read_stream(stream, after, max).await
    }

    async fn read_all(&self, after: Position, max: usize, filter: &EventFilter) -> Result<Page, PortError> {
        self.log().read_all(after, max, filter).await
    }

    async fn head(&self) -> Result<Position, PortError> {
        self.log().head().await
    }

    async fn beyond(&self, position: Position, rewinds: u64) -> Position {
        self.log().beyond(position, u64::from(rewinds != self.rewinds())).await
    }
}
