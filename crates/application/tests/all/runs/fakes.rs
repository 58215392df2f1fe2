//! A log that can be interrupted between any two of its answers.

use std::sync::Arc;

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{AppendError, AppendRequest, Appended, EventFilter, EventStore, Page, Position, RecordedEvent, StreamId},
};
use devskyy_domain::kernel::Version;
use devskyy_testkit::fakes::interruptible;

/// A log whose every answer can be cut off before and after it took effect.
pub(crate) struct InterruptibleStore(pub(crate) Arc<dyn EventStore>);

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

    async fn head(&self) -> Result<Position, PortError> {
        self.0.head().await
    }

    async fn beyond(&self, position: Position) -> Position {
        self.0.beyond(position).await
    }
}
