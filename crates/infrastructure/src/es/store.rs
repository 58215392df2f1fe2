use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{
        AppendError, AppendRequest, Appended, EventFilter, EventStore, PAGE_BYTES, Page, Position, Prepared,
        RecordedEvent, StreamId,
    },
    ports::Clock,
};
use devskyy_domain::kernel::Version;
use futures_util::TryStreamExt as _;
use sea_orm::{DatabaseBackend, DbErr, StreamTrait, Value};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use super::{
    batch::Batches,
    facts::head,
    projection::Projection,
    reserved::Reserved,
    rows::{Decoder, SELECT_EVENT, events_with_streams},
    statements::statement,
    tail,
    writer::{self, Pending, QUEUE},
};
use crate::sql::{Database, port_error, stored};

/// Positions a filtered read looks at in one go, at least: however rare the wanted events, no read takes long.
const WINDOW: u64 = 5_000;
/// Most events of one read.
const MOST: usize = 10_000;

/// The log on SQLite or PostgreSQL.
///
/// All appends of a process pass through one task that commits whatever waits together; the order of positions is the
/// order of commits.
pub struct SqlEventStore {
    db: Database,
    queue: Mutex<Option<mpsc::Sender<Pending>>>,
    head: watch::Sender<Position>,
    /// What ends by itself once the queue is closed: the writer, then whoever announces what it wrote.
    running: Mutex<Vec<JoinHandle<()>>>,
    /// Hears of what other processes write.
    tail: Option<JoinHandle<()>>,
}

impl SqlEventStore {
    /// Starts the writer over a migrated database. The projections change in the same transaction as the log.
    ///
    /// # Errors
    /// [`PortError`] when the log cannot be read.
    pub async fn start(
        db: Database,
        clock: Arc<dyn Clock>,
        projections: Vec<Arc<dyn Projection>>,
    ) -> Result<Self, PortError> {
        let newest = head(&db.reader).await.map_err(reading)?;
        let known = watch::Sender::new(newest.position);
        let (queue, waiting) = mpsc::channel(QUEUE);
        let reserved = Arc::new(Reserved::of(db.clone()));
        let batches = Batches::new(reserved.clone(), clock, projections);
        let (written, news) = watch::channel(newest.position);
        let writer = tokio::spawn(writer::write(batches, waiting, known.clone(), written));
        let announcer =
            (db.backend() == DatabaseBackend::Postgres).then(|| tokio::spawn(tail::announce(reserved, news)));
        // A log on SQLite belongs to one process, whose own writer tells how far it is.
        let tail =
            (db.backend() == DatabaseBackend::Postgres).then(|| tokio::spawn(tail::follow(db.clone(), known.clone())));
        let running = [Some(writer), announcer].into_iter().flatten().collect();
        Ok(Self { db, queue: Mutex::new(Some(queue)), head: known, running: Mutex::new(running), tail })
    }

    /// Refuses new appends and returns when those that were accepted are recorded.
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
        if let Some(tail) = &self.tail {
            tail.abort();
        }
    }

    fn queue(&self) -> Option<mpsc::Sender<Pending>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads rows one by one, up to the one that makes a page full.
    async fn read_page(&self, sql: &str, values: Vec<Value>) -> Result<(Vec<RecordedEvent>, bool), PortError> {
        let statement = statement(self.db.backend(), sql, values);
        let mut rows = self.db.reader.stream_raw(statement).await.map_err(reading)?;
        let (mut decoder, mut events, mut bytes) = (Decoder::default(), Vec::new(), 0);
        while let Some(row) = rows.try_next().await.map_err(reading)? {
            let event = decoder.event(&row)?;
            bytes += event.data.len();
            events.push(event);
            if bytes >= PAGE_BYTES {
                return Ok((events, true));
            }
        }
        Ok((events, false))
    }

    /// The known head, looked up only where it does not already cover the wanted position.
    async fn head_covering(&self, position: Position) -> Result<Position, PortError> {
        let known = *self.head.borrow();
        if known >= position { Ok(known) } else { self.head().await }
    }
}

impl Drop for SqlEventStore {
    fn drop(&mut self) {
        self.deafen();
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
            // Of one stream that is known beforehand the index has the events in their order.
            wanted: "e.stream_no = (SELECT stream_no FROM es_streams WHERE stream_id = ? AND category = ?) AND e.version > ?",
            order: "version",
            headlines: false,
        };
        let limit = stored(max.min(MOST) as u64);
        let values = vec![stream.id.into(), stream.category.into(), stored(after).into(), limit.into()];
        Ok(self.read_page(&part.select(self.db.backend()), values).await?.0)
    }

    async fn read_all(&self, after: Position, max: usize, filter: &EventFilter) -> Result<Page, PortError> {
        let max = max.min(MOST);
        // Positions are dense: a window of positions bounds the work, whatever the filter lets through.
        let window = if filter.categories.is_empty() { max as u64 } else { (max as u64).max(WINDOW) };
        let upto = after.saturating_add(window);
        let head = self.head_covering(upto).await?.min(upto);
        if head <= after {
            return Ok(Page { events: Vec::new(), scanned_to: after });
        }
        let categories = match filter.categories.len() {
            0 => String::new(),
            n => format!(" AND s.category IN (?{})", ", ?".repeat(n - 1)),
        };
        let part = Part {
            wanted: &format!("e.position > ? AND e.position <= ?{categories}"),
            order: "position",
            headlines: filter.headlines,
        };
        let mut values: Vec<Value> = vec![stored(after).into(), stored(head).into()];
        values.extend(filter.categories.iter().map(|category| Value::from(*category)));
        values.push(stored(max as u64).into());
        let (events, large) = self.read_page(&part.select(self.db.backend()), values).await?;
        let full = large || events.len() == max;
        let scanned_to = if full { events.last().map_or(head, |last| last.position) } else { head };
        Ok(Page { events, scanned_to })
    }

    async fn head(&self) -> Result<Position, PortError> {
        let newest = head(&self.db.reader).await.map_err(reading)?.position;
        tail::raise(&self.head, newest);
        Ok(newest)
    }

    async fn beyond(&self, position: Position) -> Position {
        let mut head = self.head.subscribe();
        // The sender lives in `self`, so waiting cannot fail while somebody waits.
        head.wait_for(|head| *head > position).await.map_or(position, |head| *head)
    }
}

/// Events that are read in order, up to as many as a page holds.
struct Part<'a> {
    wanted: &'a str,
    /// The column of the events by which they are in order.
    order: &'static str,
    headlines: bool,
}

impl Part<'_> {
    /// PostgreSQL would send all of it, whoever stops to listen: there it ends where the page is full.
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

fn reading(error: DbErr) -> PortError {
    port_error("event store", "reading events", error)
}

fn given_up() -> PortError {
    PortError::bug("event store", "appending events", "the batch was given up")
}

fn stopped(why: &'static str) -> PortError {
    PortError::transient("event store", "appending events", why)
}
