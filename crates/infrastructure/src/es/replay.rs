//! Walks the log from its first event, for those who derive something from all of it.
//!
//! This is the one place that reads through the driver itself: an event costs less than the objects that are made of its
//! row elsewhere.

use std::{borrow::Cow, collections::HashMap};

use chrono::DateTime;
use devskyy_application::{
    error::PortError,
    es::{Page, Position, RecordedEvent},
};
use futures_util::TryStreamExt;
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DbErr, RuntimeErr, SqlxError,
    sqlx::{PgPool, Row, SqlitePool, postgres::PgRow, query, sqlite::SqliteRow},
};
use tokio::{sync::mpsc, task::JoinHandle};
use uuid::Uuid;

use super::{
    projection::Projection,
    rows::{Decoder, loaded, stored},
};
use crate::sql::{Database, port_error};

/// Positions read at once while replaying.
pub(super) const STRETCH: u64 = 5_000;
/// Pages that are read ahead of the one in use.
const AHEAD: usize = 2;

/// Events as they are stored; their streams are looked up beside them, each once.
const EVENTS: &str = "SELECT position, stream_no, version, recorded_at, event_id, correlation_id, causation_id, \
     schema_version, event_type, data, meta, hash FROM es_events WHERE position > $1 AND position <= $2 ORDER BY position";
/// A stream's number is the position of its first event: those that begin in a stretch are a range too.
const STREAMS: &str = "SELECT stream_no, category, stream_id FROM es_streams WHERE stream_no > $1 AND stream_no <= $2";

/// The log from its first event up to a position, in pages that a task of its own reads ahead and decodes.
#[derive(Debug)]
pub struct Replay {
    pages: mpsc::Receiver<Result<Page, PortError>>,
    reading: JoinHandle<()>,
}

impl Replay {
    /// Begins to read events of these categories; of all when there are none.
    #[must_use]
    pub fn start(db: &Database, categories: Vec<&'static str>, upto: Position) -> Self {
        let (sender, pages) = mpsc::channel(AHEAD);
        let reader = Reader { categories, streams: HashMap::new(), decoder: Decoder::default() };
        Self { pages, reading: tokio::spawn(reader.run(db.clone(), upto, sender)) }
    }

    /// The next page; `None` after the last.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be read.
    pub async fn next(&mut self) -> Result<Option<Page>, PortError> {
        self.pages.recv().await.transpose()
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

struct Reader {
    categories: Vec<&'static str>,
    streams: HashMap<i64, Stream>,
    decoder: Decoder,
}

struct Stream {
    category: Cow<'static, str>,
    id: Uuid,
}

impl Reader {
    async fn run(mut self, db: Database, upto: Position, pages: mpsc::Sender<Result<Page, PortError>>) {
        let mut after = 0;
        while after < upto {
            let to = (after + STRETCH).min(upto);
            let page = match db.backend() {
                DatabaseBackend::Postgres => {
                    self.read_postgres(db.reader.get_postgres_connection_pool(), after, to).await
                }
                _ => self.read_sqlite(db.reader.get_sqlite_connection_pool(), after, to).await,
            };
            let broken = page.is_err();
            let page = page.map(|events| Page { events, scanned_to: to });
            if pages.send(page).await.is_err() || broken {
                return;
            }
            after = to;
        }
    }

    fn stream(&mut self, number: i64, category: &str, id: Uuid) {
        let known = self.categories.iter().find(|known| **known == category);
        let category = match known {
            Some(known) => Cow::Borrowed(*known),
            None if self.categories.is_empty() => Cow::Owned(category.to_owned()),
            None => return,
        };
        self.streams.insert(number, Stream { category, id });
    }

    /// `None` where the event is of no wanted category.
    fn event(&mut self, row: &Columns<'_>) -> Result<Option<RecordedEvent>, PortError> {
        let Some(stream) = self.streams.get(&row.stream_no) else { return Ok(None) };
        let [event_id, correlation_id, causation_id] = row.ids;
        let mut context = self.decoder.context(row.meta)?;
        (context.correlation_id, context.causation_id) = (correlation_id, causation_id);
        let hash = row.hash.try_into();
        Ok(Some(RecordedEvent {
            position: loaded(row.position),
            category: stream.category.clone(),
            stream_id: stream.id,
            version: loaded(row.version),
            event_id,
            event_type: Cow::Owned(row.event_type.to_owned()),
            schema_version: u16::try_from(row.schema_version).unwrap_or_default(),
            data: row.data.to_owned(),
            context,
            recorded_at: DateTime::from_timestamp_micros(row.recorded_at).unwrap_or_default(),
            hash: hash.map_err(|error| PortError::bug("event store", "reading an event's hash", error))?,
        }))
    }
}

/// A row of [`EVENTS`] as the driver holds it.
struct Columns<'r> {
    position: i64,
    stream_no: i64,
    version: i64,
    recorded_at: i64,
    ids: [Uuid; 3],
    schema_version: i16,
    event_type: &'r str,
    data: &'r str,
    meta: &'r str,
    hash: &'r [u8],
}

/// The two drivers have the same methods on different types.
macro_rules! reading {
    ($name:ident, $pool:ty, $row:ty) => {
        impl Reader {
            async fn $name(
                &mut self,
                pool: &$pool,
                after: Position,
                to: Position,
            ) -> Result<Vec<RecordedEvent>, PortError> {
                let mut rows = query(STREAMS).bind(stored(after)).bind(stored(to)).fetch(pool);
                while let Some(row) = rows.try_next().await.map_err(failed)? {
                    let category = row.try_get(1).map_err(failed)?;
                    self.stream(row.try_get(0).map_err(failed)?, category, row.try_get(2).map_err(failed)?);
                }
                drop(rows);
                let mut events = Vec::with_capacity(usize::try_from(to - after).unwrap_or_default());
                let mut rows = query(EVENTS).bind(stored(after)).bind(stored(to)).fetch(pool);
                while let Some(row) = rows.try_next().await.map_err(failed)? {
                    let columns = Columns::try_from(&row).map_err(failed)?;
                    events.extend(self.event(&columns)?);
                }
                Ok(events)
            }
        }

        impl<'r> TryFrom<&'r $row> for Columns<'r> {
            type Error = SqlxError;

            fn try_from(row: &'r $row) -> Result<Self, SqlxError> {
                Ok(Self {
                    position: row.try_get_unchecked(0)?,
                    stream_no: row.try_get_unchecked(1)?,
                    version: row.try_get_unchecked(2)?,
                    recorded_at: row.try_get_unchecked(3)?,
                    ids: [row.try_get_unchecked(4)?, row.try_get_unchecked(5)?, row.try_get_unchecked(6)?],
                    schema_version: row.try_get_unchecked(7)?,
                    event_type: row.try_get_unchecked(8)?,
                    data: row.try_get_unchecked(9)?,
                    meta: row.try_get_unchecked(10)?,
                    hash: row.try_get_unchecked(11)?,
                })
            }
        }
    };
}

reading!(read_postgres, PgPool, PgRow);
reading!(read_sqlite, SqlitePool, SqliteRow);

fn failed(error: SqlxError) -> PortError {
    port_error("event store", "replaying events", DbErr::Query(RuntimeErr::SqlxError(error.into())))
}

/// The categories a set of projections is derived from; none when one of them wants all.
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

/// The events of a stretch that a projection is derived from.
pub(super) fn wanted_by<'a>(projection: &dyn Projection, events: &'a [RecordedEvent]) -> Vec<&'a RecordedEvent> {
    let categories = projection.categories();
    events.iter().filter(|event| categories.is_empty() || categories.contains(&&*event.category)).collect()
}

/// Lets a transaction that walks the whole log take its time.
pub(super) async fn unlimited(tx: &impl ConnectionTrait) -> Result<(), DbErr> {
    if tx.get_database_backend() == DatabaseBackend::Postgres {
        let lift = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
        tx.execute_unprepared(lift).await?;
    }
    Ok(())
}
