//! Reads the whole log from its first event.
//!
//! Only this module uses the driver directly: decoding an event is cheaper than the row objects used elsewhere.

use std::{borrow::Cow, collections::HashMap};

use devskyy_application::{
    error::PortError,
    es::{PAGE_BYTES, Page, Position, RecordedEvent},
};
use futures_util::TryStreamExt;
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DbErr, RuntimeErr, SqlxError,
    sqlx::{PgPool, Row, SqlitePool, query, sqlite::SqliteRow},
};
use tokio::{sync::mpsc, task::JoinHandle};
use uuid::Uuid;

use super::{
    copy::Fields,
    rows::{Decoder, damaged},
};
use crate::sql::{Database, Port, sound_instant, sound_number, stored};

/// Most positions per read.
pub(super) const STRETCH: u64 = 5_000;
/// Pages that are read ahead.
const AHEAD: usize = 2;

/// The columns read of each event on PostgreSQL; streams are looked up separately, each once.
const EVENT: &str = "position, stream_no, version, recorded_at, event_id, correlation_id, causation_id, schema_version, \
     event_type, data, meta, hash";
/// Number of columns in [`EVENT`].
const COLUMNS: i16 = 12;
/// A stream's number is the position of its first event, so those that begin in a range of positions are a range too.
const STREAMS: &str = "SELECT stream_no, category, stream_id FROM es_streams WHERE stream_no > $1 AND stream_no <= $2";

/// The log from its first event up to a position, in pages that a separate task reads ahead and decodes.
#[derive(Debug)]
pub struct Replay {
    db: Database,
    pages: mpsc::Receiver<Result<Page, PortError>>,
    reading: JoinHandle<Reader>,
}

impl Replay {
    /// Starts reading events of these categories; of all if there are none.
    #[must_use]
    pub fn start(db: &Database, categories: Vec<&'static str>, upto: Position) -> Self {
        let reader = Reader { categories, after: 0, streams: HashMap::new(), decoder: Decoder::default() };
        let (reading, pages) = reader.start(db, upto);
        Self { db: db.clone(), pages, reading }
    }

    /// The next page; `None` after the last.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be read.
    pub async fn next(&mut self) -> Result<Option<Page>, PortError> {
        self.pages.recv().await.transpose()
    }

    /// Continues up to a later position, once the last page was taken.
    ///
    /// # Errors
    /// [`PortError`] when the reading task panicked.
    pub(super) async fn go_on(&mut self, upto: Position) -> Result<(), PortError> {
        let ended = (&mut self.reading).await;
        let reader = ended.map_err(|error| PortError::bug("event store", "replaying events", error))?;
        (self.reading, self.pages) = reader.start(&self.db, upto);
        Ok(())
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

#[derive(Debug)]
struct Reader {
    categories: Vec<&'static str>,
    after: Position,
    streams: HashMap<i64, Stream>,
    decoder: Decoder,
}

#[derive(Debug)]
struct Stream {
    category: Cow<'static, str>,
    id: Uuid,
}

impl Reader {
    fn start(self, db: &Database, upto: Position) -> (JoinHandle<Self>, mpsc::Receiver<Result<Page, PortError>>) {
        let (sender, pages) = mpsc::channel(AHEAD);
        (tokio::spawn(self.run(db.clone(), upto, sender)), pages)
    }

    async fn run(mut self, db: Database, upto: Position, pages: mpsc::Sender<Result<Page, PortError>>) -> Self {
        let mut stretch = STRETCH;
        while self.after < upto {
            let (after, to) = (self.after, (self.after + stretch).min(upto));
            let page = match db.backend() {
                DatabaseBackend::Postgres => {
                    self.read_postgres(db.reader.get_postgres_connection_pool(), after, to).await
                }
                _ => self.read_sqlite(db.reader.get_sqlite_connection_pool(), after, to).await,
            };
            let broken = page.is_err();
            let scanned_to = page.as_ref().ok().filter(|page| page.bytes >= PAGE_BYTES).and_then(|page| page.last());
            let scanned_to = scanned_to.unwrap_or(to);
            // The next read most likely fits as much, and perhaps more.
            stretch = if scanned_to < to { scanned_to - after } else { (stretch * 2).min(STRETCH) };
            let page = page.map(|page| Page { events: page.events, scanned_to, hash: None });
            if pages.send(page).await.is_err() || broken {
                break;
            }
            self.after = scanned_to;
        }
        self
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

    /// `None` if the event's category is not wanted.
    fn event(&mut self, row: &Columns<'_>) -> Result<Option<RecordedEvent>, PortError> {
        let Some(stream) = self.streams.get(&row.stream_no) else { return Ok(None) };
        let [event_id, correlation_id, causation_id] = row.ids;
        let mut context = self.decoder.context(row.meta)?;
        (context.correlation_id, context.causation_id) = (correlation_id, causation_id);
        let hash = row.hash.try_into();
        Ok(Some(RecordedEvent {
            position: sound_number(row.position).map_err(damaged)?,
            category: stream.category.clone(),
            stream_id: stream.id,
            version: sound_number(row.version).map_err(damaged)?,
            event_id,
            event_type: Cow::Owned(row.event_type.to_owned()),
            schema_version: sound_number(row.schema_version).map_err(damaged)?,
            data: row.data.to_owned(),
            context,
            recorded_at: sound_instant(row.recorded_at).map_err(damaged)?,
            hash: hash.map_err(|error| PortError::bug("event store", "reading an event's hash", error))?,
        }))
    }
}

/// A page that is being filled.
#[derive(Default)]
struct Filling {
    events: Vec<RecordedEvent>,
    bytes: usize,
}

impl Filling {
    /// Adds an event, if it is wanted. Returns whether there is room for more.
    fn take(&mut self, event: Option<RecordedEvent>) -> bool {
        self.bytes += event.as_ref().map_or(0, |event| event.data.len());
        self.events.extend(event);
        self.bytes < PAGE_BYTES
    }

    fn last(&self) -> Option<Position> {
        self.events.last().map(|last| last.position)
    }
}

/// An event as the driver returns it.
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

/// Reads the streams that begin in a range. The two drivers have the same methods on different types.
macro_rules! read_streams {
    ($reader:ident, $pool:ident, $after:ident, $to:ident) => {{
        let mut rows = query(STREAMS).bind(stored($after)).bind(stored($to)).fetch($pool);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            let category = row.try_get(1).map_err(failed)?;
            $reader.stream(row.try_get(0).map_err(failed)?, category, row.try_get(2).map_err(failed)?);
        }
    }};
}

impl Reader {
    /// `COPY` avoids the per-value overhead of a regular result in server and driver.
    async fn read_postgres(&mut self, pool: &PgPool, after: u64, to: u64) -> Result<Filling, PortError> {
        read_streams!(self, pool, after, to);
        let mut page = Filling::default();
        let copy = format!(
            "COPY (SELECT {EVENT} FROM es_events WHERE position > {after} AND position <= {to} ORDER BY position) \
             TO STDOUT (FORMAT binary)"
        );
        let mut connection = pool.acquire().await.map_err(failed)?;
        let mut rows = connection.copy_out_raw(&copy).await.map_err(failed)?;
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            let Some(fields) = Fields::of(&row, COLUMNS)? else { continue };
            if !page.take(self.event(&Columns::copied(fields)?)?) {
                drop(rows);
                // Closing the connection is cheaper than reading what the server has yet to send.
                drop(connection.detach());
                return Ok(page);
            }
        }
        Ok(page)
    }

    async fn read_sqlite(&mut self, pool: &SqlitePool, after: u64, to: u64) -> Result<Filling, PortError> {
        read_streams!(self, pool, after, to);
        let mut page = Filling::default();
        // The driver copies value by value, so the four fixed-length columns are concatenated.
        let select = "SELECT position, stream_no, version, recorded_at, \
             CAST(event_id || correlation_id || causation_id || hash AS BLOB), schema_version, event_type, data, meta \
             FROM es_events WHERE position > $1 AND position <= $2 ORDER BY position";
        let mut rows = query(select).bind(stored(after)).bind(stored(to)).fetch(pool);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            if !page.take(self.event(&Columns::selected(&row).map_err(failed)?)?) {
                break;
            }
        }
        Ok(page)
    }
}

impl<'r> Columns<'r> {
    fn copied(mut row: Fields<'r>) -> Result<Self, PortError> {
        Ok(Self {
            position: row.number()?,
            stream_no: row.number()?,
            version: row.number()?,
            recorded_at: row.number()?,
            ids: [row.id()?, row.id()?, row.id()?],
            schema_version: row.small()?,
            event_type: row.text()?,
            data: row.text()?,
            meta: row.text()?,
            hash: row.value()?,
        })
    }

    fn selected(row: &'r SqliteRow) -> Result<Self, SqlxError> {
        let fixed: &[u8] = row.try_get_unchecked(4)?;
        let (ids, hash) = fixed.split_at_checked(48).unwrap_or_default();
        let id = |n: usize| {
            let bytes = ids.get(16 * n..16 * n + 16).unwrap_or_default();
            Uuid::from_slice(bytes).map_err(|error| SqlxError::Decode(error.into()))
        };
        Ok(Self {
            position: row.try_get_unchecked(0)?,
            stream_no: row.try_get_unchecked(1)?,
            version: row.try_get_unchecked(2)?,
            recorded_at: row.try_get_unchecked(3)?,
            ids: [id(0)?, id(1)?, id(2)?],
            schema_version: row.try_get_unchecked(5)?,
            event_type: row.try_get_unchecked(6)?,
            data: row.try_get_unchecked(7)?,
            meta: row.try_get_unchecked(8)?,
            hash,
        })
    }
}

fn failed(error: SqlxError) -> PortError {
    Port("event store").failed("replaying events")(DbErr::Query(RuntimeErr::SqlxError(error.into())))
}

/// Lifts the timeouts of a transaction that reads the whole log.
pub(super) async fn unlimited(tx: &impl ConnectionTrait) -> Result<(), DbErr> {
    if tx.get_database_backend() == DatabaseBackend::Postgres {
        let lift = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
        tx.execute_unprepared(lift).await?;
    }
    Ok(())
}
