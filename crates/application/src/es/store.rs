use async_trait::async_trait;
use devskyy_domain::kernel::Version;

use super::{
    append::{AppendError, AppendRequest, Appended},
    recorded::{Page, Position, RecordedEvent, StreamId},
};
use crate::error::PortError;

/// Payload bytes after which a page of the log ends, even below its event limit. The first event always fits.
pub const PAGE_BYTES: usize = 16 * 1024 * 1024;

/// Whether a stream may have more events after a read limited to `max` returned these.
#[must_use]
pub fn goes_on(events: &[RecordedEvent], max: usize) -> bool {
    events.len() >= max || events.iter().map(|event| event.data.len()).sum::<usize>() >= PAGE_BYTES
}

/// Which events a reader of the log wants; an empty filter wants all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Kinds of aggregate; empty for all.
    pub categories: Vec<&'static str>,
    /// Whether the events are wanted without their payloads.
    pub headlines: bool,
}

impl EventFilter {
    /// Only these kinds of aggregate.
    #[must_use]
    pub fn categories(categories: &[&'static str]) -> Self {
        Self { categories: categories.to_vec(), headlines: false }
    }

    /// The same filter, without payloads.
    #[must_use]
    pub fn headlines(self) -> Self {
        Self { headlines: true, ..self }
    }

    /// Whether an event of this kind is wanted.
    #[must_use]
    pub fn wants(&self, category: &str) -> bool {
        self.categories.is_empty() || self.categories.contains(&category)
    }
}

/// A log that may be rewound to an earlier state while it is being read.
pub trait Rewindable: Send + Sync {
    /// How often a rewind of the log was detected since this process started: a restored backup, or a failover to a
    /// lagging replica.
    ///
    /// Events and positions read before a rewind belong to a log that no longer exists. A reader that keeps a position
    /// compares this number with its value at the start, and starts over if it has grown.
    fn rewinds(&self) -> u64 {
        0
    }
}

/// The ordered log of all events.
///
/// On every adapter, positions have no gaps and follow commit order. An accepted append survives the process, and on
/// durable adapters the machine.
#[async_trait]
pub trait EventStore: Rewindable {
    /// Records one unit of work as a whole or not at all.
    ///
    /// Once accepted, it completes even if the caller drops the future.
    ///
    /// # Errors
    /// [`AppendError`]. Nothing was recorded then, except possibly after [`AppendError::Unknown`]: retry with the same
    /// idempotency key.
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError>;

    /// Reads events of one stream after a version, in order: at most `max`, and no more after [`PAGE_BYTES`].
    /// [`goes_on`] returns whether there may be more.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be reached.
    async fn read_stream(&self, stream: StreamId, after: Version, max: usize) -> Result<Vec<RecordedEvent>, PortError>;

    /// Reads a bounded part of the log after a position: at most `max` matching events, and no more after
    /// [`PAGE_BYTES`].
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be reached.
    async fn read_all(&self, after: Position, max: usize, filter: &EventFilter) -> Result<Page, PortError>;

    /// Position of the newest event; 0 when there is none.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be reached.
    async fn head(&self) -> Result<Position, PortError>;

    /// Waits until the log's head is beyond a position or [`Rewindable::rewinds`] differs from `rewinds`, and returns
    /// the head. Wakes promptly and never polls in a tight loop.
    ///
    /// `rewinds` is the count from before the position was read, so that a rewind in between is not missed.
    async fn beyond(&self, position: Position, rewinds: u64) -> Position;
}

/// A head of the log, and the number of rewinds when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenHead {
    position: Position,
    rewinds: u64,
}

impl SeenHead {
    /// The current head.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be reached.
    pub async fn of(log: &dyn EventStore) -> Result<Self, PortError> {
        let rewinds = log.rewinds();
        Ok(Self { position: log.head().await?, rewinds })
    }

    /// Waits until the log grows beyond this head or is rewound, and returns the new head.
    pub async fn passed(self, log: &dyn EventStore) -> Self {
        let position = log.beyond(self.position, self.rewinds).await;
        let rewinds = log.rewinds();
        // The head may be from before the rewind. With position 0 the next wait returns at once.
        Self { position: if rewinds == self.rewinds { position } else { 0 }, rewinds }
    }
}
