use std::sync::Arc;

use async_trait::async_trait;
use devskyy_domain::kernel::Version;

use super::{is_told, security_event::SecurityEvent, security_log::SecurityLog};
use crate::{
    error::PortError,
    es::{
        AppendError, AppendRequest, Appended, EventFilter, EventStore, Page, Position, RecordedEvent, Rewindable,
        StreamId, StreamWrite,
    },
};

/// A log that writes a line about each security-relevant fact once it is recorded.
pub struct AuditedEventStore {
    log: Arc<dyn EventStore>,
    security: SecurityLog,
}

impl AuditedEventStore {
    /// Wraps a log.
    #[must_use]
    pub fn new(log: Arc<dyn EventStore>, security: SecurityLog) -> Self {
        Self { log, security }
    }
}

impl Rewindable for AuditedEventStore {
    fn rewinds(&self) -> u64 {
        self.log.rewinds()
    }
}

#[async_trait]
impl EventStore for AuditedEventStore {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        let told =
            |write: &&StreamWrite| write.events.iter().any(|event| is_told(write.stream.category, &event.event_type));
        let audited: Vec<_> = request.writes.iter().filter(told).cloned().collect();
        let context = request.context.clone();
        let appended = self.log.append(request).await?;
        if audited.is_empty() || appended.replayed {
            return Ok(appended);
        }
        self.security.locate(&context);
        for write in &audited {
            let target = format!("{}:{}", write.stream.category, write.stream.id);
            let meant = write.events.iter().filter_map(|event| SecurityEvent::of_fact(&event.event_type));
            meant.for_each(|event| self.security.recorded(event, &context, &target));
        }
        Ok(appended)
    }

    async fn read_stream(&self, stream: StreamId, after: Version, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        self.log.read_stream(stream, after, max).await
    }

    async fn read_all(&self, after: Position, max: usize, filter: &EventFilter) -> Result<Page, PortError> {
        self.log.read_all(after, max, filter).await
    }

    async fn head(&self) -> Result<Position, PortError> {
        self.log.head().await
    }

    async fn beyond(&self, position: Position, rewinds: u64) -> Position {
        self.log.beyond(position, rewinds).await
    }
}
