use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{
        AppendError, AppendRequest, Appended, EventFilter, EventStore, PAGE_BYTES, Page, Position, Prepared,
        RecordedEvent, Rewindable, StreamId,
    },
    ports::Clock,
};
use devskyy_domain::kernel::Version;
use futures_util::TryStreamExt as _;
use sea_orm::{DatabaseBackend, DbErr, QueryResult, StreamTrait, Value};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use super::{
    batch::Batches,
    facts::head,
    known::Known,
    projection::Projection,
    reserved::Reserved,
    rows::{Decoder, SELECT_EVENT, damaged, events_with_streams, hash},
    statements::statement,
    tail,
    time::Time,
    writer::{self, Pending, QUEUE},
};
use crate::sql::{Database, Port, sound_number, stored};

/// Least number of positions per filtered read, which bounds its duration however rare the wanted events are.
const WINDOW: u64 = 5_000;
/// Most events of one read.
const MOST: usize = 10_000;

/// The log on SQLite or PostgreSQL.
///
/// All appends of a process pass through one task that commits all waiting requests together. Positions follow the
/// order of commits.
pub struct SqlEventStore {
    db: Database,
    queue: Mutex<Option<mpsc::Sender<Pending>>>,
    known: Arc<Known>,
    /// Tasks that end once the queue is closed: the writer and the announcer.
    running: Mutex<Vec<JoinHandle<()>>>,
    /// Follows other processes' appends, and checks the log if the writer found another head than the known one.
    tail: JoinHandle<()>,
}

impl SqlEventStore {
    /// Starts the writer over a migrated database, with the caller's clock; for tests, servers use
    /// [`Self::start_shared`]. The projections change in the same transaction as the log. Events carry the clock's
    /// time.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be read.
    pub async fn start(
        db: Database,
        clock: Arc<dyn Clock>,
        projections: Vec<Arc<dyn Projection>>,
    ) -> Result<Self, PortError> {
        Self::start_at(db, Time::of(clock), projections).await
    }

    /// The same for processes that share a database: events carry the database's time. SQLite belongs to one process,
    /// so there it is the clock's.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be read.
    pub async fn start_shared(
        db: Database,
        clock: Arc<dyn Clock>,
        projections: Vec<Arc<dyn Projection>>,
    ) -> Result<Self, PortError> {
        let time = Time::of(clock).of_database(!db.of_one_process());
        Self::start_at(db, time, projections).await
    }

    async fn start_at(db: Database, time: Time, projections: Vec<Arc<dyn Projection>>) -> Result<Self, PortError> {
        let newest = head(&db.reader).await.map_err(reading)?;
        let known = Arc::new(Known::new(newest));
        let (queue, waiting) = mpsc::channel(QUEUE);
        let reserved = Arc::new(Reserved::of(db.clone()));
        let batches = Batches::new(reserved.clone(), time, projections, known.clone());
        let (written, news) = watch::channel(newest.position);
        let writer = tokio::spawn(writer::write(batches, waiting, written));
        let (tail, announcer) = match db.backend() {
            DatabaseBackend::Postgres => (
                tokio::spawn(tail::follow(db.clone(), known.clone())),
                Some(tokio::spawn(tail::announce(reserved, news))),
            ),
            // A log on SQLite belongs to one process, whose own writer keeps the head up to date.
            _ => (tokio::spawn(tail::reconsider(db.clone(), known.clone())), None),
        };
        let running = [Some(writer), announcer].into_iter().flatten().collect();
        Ok(Self { db, queue: Mutex::new(Some(queue)), known, running: Mutex::new(running), tail })
    }

    /// Refuses new appends and returns once the accepted ones are recorded.
    pub async fn stop(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        let running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        for task in running {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the log ended badly");
            }
        }
        self.deafen();
    }

    fn deafen(&self) {
        self.tail.abort();
    }

    fn queue(&self) -> Option<mpsc::Sender<Pending>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Streams rows until a page is full. A row whose category is not wanted only counts as the last position.
    async fn read_page(&self, sql: &str, values: Vec<Value>, filter: &EventFilter) -> Result<Read, PortError> {
        let statement = statement(self.db.backend(), sql, values);
        let mut rows = self.db.reader.stream_raw(statement).await.map_err(reading)?;
        let (mut decoder, mut read, mut bytes) = (Decoder::default(), Read::default(), 0);
        while let Some(row) = rows.try_next().await.map_err(reading)? {
            if !filter.categories.is_empty() {
                let (position, category) = place(&row).map_err(damaged)?;
                if !filter.wants(&category) {
                    read.last = Some((position, hash_of(&row).ok()));
                    continue;
                }
            }
            let event = decoder.event(&row)?;
            read.last = Some((event.position, Some(event.hash)));
            bytes += event.data.len();
            read.events.push(event);
            if bytes >= PAGE_BYTES {
                read.large = true;
                break;
            }
        }
        Ok(read)
    }

    /// Reads the log's head.
    async fn look(&self) -> Result<(), PortError> {
        self.known.look(&self.db.reader).await.map(|_| ()).map_err(reading)
    }

    /// The known head, read again only if it does not cover a position.
    async fn head_covering(&self, position: Position) -> Result<Position, PortError> {
        let known = self.known.position();
        if known >= position { Ok(known) } else { self.head().await }
    }
}

/// The result of reading the log.
#[derive(Default)]
struct Read {
    events: Vec<RecordedEvent>,
    /// Position and hash of the last row, wanted or not.
    last: Option<(Position, Option<[u8; 32]>)>,
    /// Whether the page is full.
    large: bool,
}

impl Drop for SqlEventStore {
    fn drop(&mut self) {
        self.deafen();
    }
}

impl Rewindable for SqlEventStore {
    fn rewinds(&self) -> u64 {
        self.known.rewinds()
    }
}

#[async_trait]
impl EventStore for SqlEventStore {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        let request = Prepared::new(request)?;
        let (answer, answered) = oneshot::channel();
        let queue = self.queue().ok_or_else(|| stopped("the log is stopping"))?;
        match queue.try_send(Pending { request, answer }) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => return Err(AppendError::Overloaded),
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(stopped("the log is stopping").into()),
        }
        drop(queue);
        answered.await.unwrap_or_else(|_| Err(given_up().into()))
    }

    async fn read_stream(&self, stream: StreamId, after: Version, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        let part = Part {
            // Within one given stream, the index holds the events in order.
            wanted: "e.stream_no = (SELECT stream_no FROM es_streams WHERE stream_id = ? AND category = ?) AND e.version > ?",
            order: "version",
            headlines: false,
        };
        let limit = stored(max.min(MOST) as u64);
        let values = vec![stream.id.into(), stream.category.into(), stored(after).into(), limit.into()];
        Ok(self.read_page(&part.select(self.db.backend()), values, &EventFilter::default()).await?.events)
    }

    async fn read_all(&self, after: Position, max: usize, filter: &EventFilter) -> Result<Page, PortError> {
        let (max, rewinds) = (max.min(MOST), self.known.rewinds());
        // Positions have no gaps, so a window of them bounds the work, whatever the filter.
        let window = if filter.categories.is_empty() { max as u64 } else { (max as u64).max(WINDOW) };
        let upto = after.saturating_add(window);
        let head = self.head_covering(upto).await?.min(upto);
        if head <= after {
            return Ok(Page { events: Vec::new(), scanned_to: after, hash: None });
        }
        // The window's last event is always selected: it proves that the log was read that far.
        let categories = match filter.categories.len() {
            0 => String::new(),
            n => format!(" AND (s.category IN (?{}) OR e.position = ?)", ", ?".repeat(n - 1)),
        };
        let part = Part {
            wanted: &format!("e.position > ? AND e.position <= ?{categories}"),
            order: "position",
            headlines: filter.headlines,
        };
        let mut values: Vec<Value> = vec![stored(after).into(), stored(head).into()];
        values.extend(filter.categories.iter().map(|category| Value::from(*category)));
        values.extend((!filter.categories.is_empty()).then(|| stored(head).into()));
        values.push(stored(max as u64).into());
        let read = self.read_page(&part.select(self.db.backend()), values, filter).await?;
        let full = read.large || read.events.len() == max;
        let last = read.last.map_or(0, |(position, _)| position);
        if !full && last < head {
            // The log was rewound, or lost events in the middle.
            self.look().await?;
            if self.known.rewinds() == rewinds {
                let lost = format!("something after event {} is missing", last.max(after));
                return Err(PortError::bug("event store", "reading events", lost));
            }
        }
        let wanted = read.events.last().map(|last| (last.position, Some(last.hash)));
        let (scanned_to, hash) = if full { wanted } else { read.last }.unwrap_or((after, None));
        Ok(Page { events: read.events, scanned_to, hash })
    }

    async fn head(&self) -> Result<Position, PortError> {
        self.look().await?;
        Ok(self.known.position())
    }

    async fn beyond(&self, position: Position, rewinds: u64) -> Position {
        self.known.beyond(position, rewinds).await
    }
}

/// A query of events in order, limited to a page.
struct Part<'a> {
    wanted: &'a str,
    /// The column that the events are ordered by.
    order: &'static str,
    headlines: bool,
}

impl Part<'_> {
    /// PostgreSQL would send all rows even if the stream is dropped, so the query itself ends at a full page.
    fn select(&self, backend: DatabaseBackend) -> String {
        let Self { wanted, order, headlines } = self;
        let columns = if *headlines { SELECT_EVENT.replace("e.data", "''") } else { SELECT_EVENT.to_owned() };
        let bounded = backend == DatabaseBackend::Postgres && !headlines;
        let before = format!(
            ", SUM(octet_length(e.data)) OVER (ORDER BY e.{order} ROWS UNBOUNDED PRECEDING) - octet_length(e.data) AS before"
        );
        let size = if bounded { before.as_str() } else { "" };
        let from = events_with_streams(backend);
        let sql = format!("SELECT {columns}{size} FROM {from} WHERE {wanted} ORDER BY e.{order} LIMIT ?");
        if bounded { format!("SELECT * FROM ({sql}) page WHERE before < {PAGE_BYTES} ORDER BY {order}") } else { sql }
    }
}

/// Position and category of an event: the first two columns of [`SELECT_EVENT`].
fn place(row: &QueryResult) -> Result<(Position, String), DbErr> {
    Ok((sound_number(row.try_get_by_index::<i64>(0)?)?, row.try_get_by_index(1)?))
}

/// The last column of [`SELECT_EVENT`].
fn hash_of(row: &QueryResult) -> Result<[u8; 32], DbErr> {
    hash(row.try_get_by_index(12)?)
}

fn reading(error: DbErr) -> PortError {
    Port("event store").failed("reading events")(error)
}

fn given_up() -> PortError {
    PortError::bug("event store", "appending events", "the batch was given up")
}

fn stopped(why: &'static str) -> PortError {
    PortError::transient("event store", "appending events", why)
}
