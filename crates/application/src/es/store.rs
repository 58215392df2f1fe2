use async_trait::async_trait;
use devskyy_domain::kernel::Version;

use super::{
    append::{AppendError, AppendRequest, Appended},
    recorded::{Page, Position, RecordedEvent, StreamId},
};
use crate::error::PortError;

/// Bytes of data after which a page of the log ends, however few events it holds: one, where there is any.
pub const PAGE_BYTES: usize = 16 * 1024 * 1024;

/// Whether a stream may go on after what a read of at most `max` of its events answered with.
#[must_use]
pub fn goes_on(events: &[RecordedEvent], max: usize) -> bool {
    events.len() >= max || events.iter().map(|event| event.data.len()).sum::<usize>() >= PAGE_BYTES
}

/// Which events a reader of the log wants; an empty filter wants all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Kinds of aggregate; empty for all.
    pub categories: Vec<&'static str>,
    /// Whether only what happened is wanted, and not the particulars: the events then come without their data.
    pub headlines: bool,
}

impl EventFilter {
    /// Only these kinds of aggregate.
    #[must_use]
    pub fn categories(categories: &[&'static str]) -> Self {
        Self { categories: categories.to_vec(), headlines: false }
    }

    /// The same events without their data.
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

/// What may be put back to an earlier state beneath those who read it.
pub trait Rewindable: Send + Sync {
    /// How often the log was found to have been put back since this process began: by a restored backup, or by a database
    /// that failed over to a copy that lagged.
    ///
    /// What was read before such a moment is of a log that is no more, and so are positions. Whoever remembers one compares
    /// this number with what it was when it began, and begins again where it has grown.
    fn rewinds(&self) -> u64 {
        0
    }
}

/// The one ordered log of facts.
///
/// Positions are dense and in commit order on every adapter. An accepted append survives the process, and on durable
/// adapters the machine.
#[async_trait]
pub trait EventStore: Rewindable {
    /// Records one unit of work, all or nothing.
    ///
    /// Once accepted it completes even when the caller stops waiting.
    ///
    /// # Errors
    /// [`AppendError`]; nothing has been recorded then, except that after [`AppendError::Unknown`] all of it may have been:
    /// ask again with the same idempotency key.
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError>;

    /// Reads events of one stream after a version, in order: at most `max`, and no more after [`PAGE_BYTES`]. Whether there
    /// may be more after them, [`goes_on`] tells.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be reached.
    async fn read_stream(&self, stream: StreamId, after: Version, max: usize) -> Result<Vec<RecordedEvent>, PortError>;

    /// Reads a bounded stretch of the log after a position: at most `max` matching events, and no more after
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

    /// Waits until the log's head is beyond a position, or the log has been put back more often than `rewinds`, and returns the
    /// head. Wakes promptly, never polls in a tight loop.
    ///
    /// `rewinds` is what [`Rewindable::rewinds`] returned before the position was read. With it a reader is woken that was on
    /// its way here when the log was put back.
    async fn beyond(&self, position: Position, rewinds: u64) -> Position;
}

/// A head of the log that was seen, and how often the log had been put back by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenHead {
    position: Position,
    rewinds: u64,
}

impl SeenHead {
    /// The head as it is now.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be reached.
    pub async fn of(log: &dyn EventStore) -> Result<Self, PortError> {
        let rewinds = log.rewinds();
        Ok(Self { position: log.head().await?, rewinds })
    }

    /// Waits until the log is beyond this head or was put back, and returns the head as it is then.
    pub async fn passed(self, log: &dyn EventStore) -> Self {
        let position = log.beyond(self.position, self.rewinds).await;
        let rewinds = log.rewinds();
        // The head may be that of the log before it was put back. The next wait finds out at once.
        Self { position: if rewinds == self.rewinds { position } else { 0 }, rewinds }
    }
}
