//! Read models that change in the same transaction as the log, so that a read after a write is never stale.

use std::collections::HashMap;

use async_trait::async_trait;
use devskyy_application::{error::PortError, es::RecordedEvent};
use devskyy_domain::kernel::DecodeError;
use sea_orm::{DatabaseTransaction, DbErr};
use uuid::Uuid;

/// Why a projection failed to apply events.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// An event cannot be decoded.
    #[error("an event cannot be understood")]
    Event(#[source] PortError),
}

impl From<PortError> for ProjectionError {
    fn from(error: PortError) -> Self {
        Self::Event(error)
    }
}

impl From<DecodeError> for ProjectionError {
    fn from(error: DecodeError) -> Self {
        Self::Event(error.into())
    }
}

/// A read model derived only from the log.
///
/// Every row carries `position`, the log position of the last event that changed it. Its tables are written by nothing
/// else, and it reads no others, so it can be emptied and replayed at any time with the same result.
#[async_trait]
pub trait Projection: Send + Sync {
    /// Stable name.
    fn name(&self) -> &'static str;

    /// The tables it owns, children before parents.
    fn tables(&self) -> &'static [&'static str];

    /// Kinds of aggregate it is derived from; empty for all.
    fn categories(&self) -> &'static [&'static str];

    /// Applies events of its categories, in order of position. A batch may hold many events of many streams.
    ///
    /// # Errors
    /// [`ProjectionError`]; the transaction is then rolled back.
    async fn apply(&self, tx: &DatabaseTransaction, events: &[&RecordedEvent]) -> Result<(), ProjectionError>;
}

/// A read model with one row per stream. [`PerStream`] makes it a [`Projection`] that loads and saves each changed row
/// once per batch, however many events change it. That is what makes a rebuild fast.
#[async_trait]
pub trait StreamRows: Send + Sync {
    /// One row in memory.
    type Row: Send;

    /// Stable name.
    fn name(&self) -> &'static str;

    /// The tables it owns, children before parents.
    fn tables(&self) -> &'static [&'static str];

    /// Kinds of aggregate it is derived from.
    fn categories(&self) -> &'static [&'static str];

    /// Loads the rows of these streams; streams without a row are left out. At most [`ROWS_AT_ONCE`] ids.
    ///
    /// # Errors
    /// [`ProjectionError`].
    async fn load(&self, tx: &DatabaseTransaction, ids: &[Uuid]) -> Result<Vec<(Uuid, Self::Row)>, ProjectionError>;

    /// Applies one event to its row; `None` means no row, before and after.
    ///
    /// # Errors
    /// [`ProjectionError`] when the event cannot be decoded.
    fn fold(&self, row: Option<Self::Row>, event: &RecordedEvent) -> Result<Option<Self::Row>, ProjectionError>;

    /// Inserts or replaces rows, and deletes those that are `None`. At most [`ROWS_AT_ONCE`] rows.
    ///
    /// # Errors
    /// [`ProjectionError`].
    async fn save(&self, tx: &DatabaseTransaction, rows: Vec<(Uuid, Option<Self::Row>)>)
    -> Result<(), ProjectionError>;
}

/// Most rows per `load` or `save` of [`StreamRows`]: with up to 60 columns below SQLite's bind limit.
pub const ROWS_AT_ONCE: usize = 500;

/// Adapts [`StreamRows`] to [`Projection`].
#[derive(Debug, Clone)]
pub struct PerStream<R>(pub R);

#[async_trait]
impl<R: StreamRows> Projection for PerStream<R> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn tables(&self) -> &'static [&'static str] {
        self.0.tables()
    }

    fn categories(&self) -> &'static [&'static str] {
        self.0.categories()
    }

    async fn apply(&self, tx: &DatabaseTransaction, events: &[&RecordedEvent]) -> Result<(), ProjectionError> {
        let mut ids = Vec::new();
        let mut by_stream: HashMap<Uuid, Vec<&RecordedEvent>> = HashMap::new();
        for event in events {
            let of_stream = by_stream.entry(event.stream_id).or_insert_with(|| {
                ids.push(event.stream_id);
                Vec::new()
            });
            of_stream.push(event);
        }
        for ids in ids.chunks(ROWS_AT_ONCE) {
            // A stream that begins in the batch has no row yet, so most of a rebuild reads none.
            let old: Vec<Uuid> = ids.iter().filter(|id| !begins(&by_stream, **id)).copied().collect();
            let mut rows: HashMap<Uuid, R::Row> = HashMap::new();
            if !old.is_empty() {
                rows.extend(self.0.load(tx, &old).await?);
            }
            let mut folded = Vec::with_capacity(ids.len());
            for id in ids {
                let mut row = rows.remove(id);
                for event in by_stream.remove(id).unwrap_or_default() {
                    row = self.0.fold(row, event)?;
                }
                folded.push((*id, row));
            }
            self.0.save(tx, folded).await?;
        }
        Ok(())
    }
}

fn begins(by_stream: &HashMap<Uuid, Vec<&RecordedEvent>>, id: Uuid) -> bool {
    by_stream.get(&id).and_then(|events| events.first()).is_some_and(|first| first.version == 1)
}

/// The categories of a set of projections; empty if one of them reads all.
pub(super) fn categories<'a>(projections: impl IntoIterator<Item = &'a dyn Projection>) -> Vec<&'static str> {
    let mut wanted = Vec::new();
    for projection in projections {
        let of_one = projection.categories();
        if of_one.is_empty() {
            return Vec::new();
        }
        wanted.extend(of_one.iter().copied().filter(|category| !wanted.contains(category)).collect::<Vec<_>>());
    }
    wanted
}

/// The events that a projection is derived from.
pub(super) fn wanted_by<'a>(projection: &dyn Projection, events: &'a [RecordedEvent]) -> Vec<&'a RecordedEvent> {
    let categories = projection.categories();
    events.iter().filter(|event| categories.is_empty() || categories.contains(&&*event.category)).collect()
}
