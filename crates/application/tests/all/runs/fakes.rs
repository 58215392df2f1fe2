//! A log and a store of results that can be interrupted between any two of their responses.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    es::{AppendError, AppendRequest, Appended, EventFilter, EventStore, Page, Position, RecordedEvent, StreamId},
    runs::ResultStore,
};
use devskyy_domain::{
    kernel::{Version, ids::ProjectId},
    runs::ResultHash,
};
use devskyy_testkit::{fakes::interruptible, reads_through};
use uuid::Uuid;

/// A log that can be interrupted before and after each effect.
pub(crate) struct InterruptibleStore(pub(crate) Arc<dyn EventStore>);

impl devskyy_application::es::Rewindable for InterruptibleStore {}

#[async_trait]
impl EventStore for InterruptibleStore {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        interruptible().await;
        let appended = self.0.append(request).await;
        interruptible().await;
        appended
    }

    async fn read_stream(&self, stream: StreamId, after: Version, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        interruptible().await;
        self.0.read_stream(stream, after, max).await
    }

    async fn read_all(&self, after: Position, max: usize, filter: &EventFilter) -> Result<Page, PortError> {
        interruptible().await;
        self.0.read_all(after, max, filter).await
    }

    reads_through!(0: head, beyond);
}

/// A log with one stream that cannot be read for a while.
pub(crate) struct TornStore {
    log: Arc<dyn EventStore>,
    torn: Mutex<Option<Uuid>>,
}

impl TornStore {
    pub(crate) fn over(log: Arc<dyn EventStore>) -> Self {
        Self { log, torn: Mutex::default() }
    }

    /// From now on this stream cannot be read; with `None` all can.
    pub(crate) fn tear(&self, stream: Option<Uuid>) {
        *self.torn.lock().unwrap() = stream;
    }
}

impl devskyy_application::es::Rewindable for TornStore {}

#[async_trait]
impl EventStore for TornStore {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        self.log.append(request).await
    }

    async fn read_stream(&self, stream: StreamId, after: Version, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        if *self.torn.lock().unwrap() == Some(stream.id) {
            return Err(PortError::bug("event store", "decoding an event", "it is of a later release"));
        }
        self.log.read_stream(stream, after, max).await
    }

    reads_through!(log: read_all, head, beyond);
}

/// A store of results that can be interrupted before and after each effect.
pub(crate) struct InterruptibleResults(pub(crate) Arc<dyn ResultStore>);

#[async_trait]
impl ResultStore for InterruptibleResults {
    async fn keep(
        &self,
        project: ProjectId,
        hash: ResultHash,
        text: &[u8],
        now: DateTime<Utc>,
    ) -> Result<(), PortError> {
        interruptible().await;
        let kept = self.0.keep(project, hash, text, now).await;
        interruptible().await;
        kept
    }

    async fn find(&self, project: ProjectId, hash: ResultHash) -> Result<Option<Vec<u8>>, PortError> {
        interruptible().await;
        self.0.find(project, hash).await
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        self.0.sweep(before).await
    }
}
