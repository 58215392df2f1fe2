use std::{collections::HashMap, time::Duration};

use devskyy_application::{
    error::PortError,
    es::{Position, Reader},
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::{checkpoints::now, rows::events_with_streams, statements::statement};
use crate::sql::{Database, Port, loaded, stored};

/// Positions after a checkpoint that are searched for unprocessed events: as many as a subscription may pass without a
/// wanted event before it moves the checkpoint.
const SEARCHED: u64 = 5_000;
/// How long a wanted event may wait before the subscription counts as behind.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most quarantined events that are reported per subscription.
const TOLD: u64 = 20;

/// The state of a subscription, for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionState {
    /// Its stable name.
    pub name: String,
    /// Everything up to here is processed. It may lag: positions without a wanted event are not counted at once.
    pub position: Position,
    /// The end of the log.
    pub head: Position,
    /// The holder of its lease, or the last one that did not release it.
    pub runner: Option<Runner>,
    /// The position and cause, if it has stopped.
    pub stopped: Option<(Position, String)>,
    /// Quarantined events and their failures, oldest first, up to a limit.
    pub aside: Vec<(Position, String)>,
    /// The event that is being retried, and its failure.
    pub delayed: Option<(Position, String)>,
    /// Its unprocessed events, if its reader is known.
    pub waiting: Option<Waiting>,
}

/// The holder of a subscription's lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runner {
    /// The process.
    pub owner: Uuid,
    /// Seconds left, negative once the lease has lapsed. If only one process can claim it, it is never renewed.
    pub lease_s: i64,
}

/// Wanted events that are not processed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// How many, within the next 5,000 positions.
    pub events: u64,
    /// How long the oldest has waited.
    pub longest: Duration,
}

impl SubscriptionState {
    /// Whether a wanted event has waited for more than 30 seconds: no process runs it, or it is slow or failing.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.waiting.is_some_and(|waiting| waiting.longest > PATIENCE)
    }
}

/// The state of every subscription that has ever run, by name. Waiting events are counted for the given readers.
///
/// # Errors
/// [`PortError`] when the database cannot be read.
pub async fn subscriptions(db: &Database, readers: &[Reader]) -> Result<Vec<SubscriptionState>, PortError> {
    states(db, readers).await.map_err(Port("subscriptions").failed("reading how they are doing"))
}

async fn states(db: &Database, readers: &[Reader]) -> Result<Vec<SubscriptionState>, DbErr> {
    let sql = format!(
        "SELECT name, position, COALESCE((SELECT MAX(position) FROM es_events), 0), owner, lease_until - {}, \
         failed_at, failure, delayed_at, delay FROM es_subscriptions ORDER BY name",
        now(db.backend())
    );
    let rows = db.reader.query_all_raw(statement(db.backend(), &sql, vec![])).await?;
    let mut states = rows.iter().map(state).collect::<Result<Vec<_>, _>>()?;
    let mut aside = aside(db).await?;
    for state in &mut states {
        state.aside = aside.remove(&state.name).unwrap_or_default();
        if let Some(reader) = readers.iter().find(|reader| reader.name == state.name) {
            let done = state.position == state.head;
            state.waiting = Some(if done { Waiting::default() } else { waiting(db, reader, state.position).await? });
        }
    }
    Ok(states)
}

/// The reported quarantined events of all subscriptions, by name.
async fn aside(db: &Database) -> Result<HashMap<String, Vec<(Position, String)>>, DbErr> {
    let sql = "SELECT name, position, failure FROM (SELECT name, position, failure, \
         ROW_NUMBER() OVER (PARTITION BY name ORDER BY position) AS nth FROM es_set_aside) told \
         WHERE nth <= ? ORDER BY name, position";
    let mut aside: HashMap<String, Vec<(Position, String)>> = HashMap::new();
    for row in db.reader.query_all_raw(statement(db.backend(), sql, vec![stored(TOLD).into()])).await? {
        let told = (row.try_get_by_index(1).map(loaded)?, row.try_get_by_index(2)?);
        aside.entry(row.try_get_by_index(0)?).or_default().push(told);
    }
    Ok(aside)
}

fn state(row: &QueryResult) -> Result<SubscriptionState, DbErr> {
    let told = |at: usize| -> Result<Option<(Position, String)>, DbErr> {
        let (position, why): (Option<i64>, Option<String>) = (row.try_get_by_index(at)?, row.try_get_by_index(at + 1)?);
        Ok(position.map(|position| (loaded(position), why.unwrap_or_default())))
    };
    let (owner, left): (Option<Uuid>, i64) = (row.try_get_by_index(3)?, row.try_get_by_index(4)?);
    Ok(SubscriptionState {
        name: row.try_get_by_index(0)?,
        position: row.try_get_by_index(1).map(loaded)?,
        head: row.try_get_by_index(2).map(loaded)?,
        runner: owner.map(|owner| Runner { owner, lease_s: left / 1_000_000 }),
        stopped: told(5)?,
        aside: Vec::new(),
        delayed: told(7)?,
        waiting: None,
    })
}

async fn waiting(db: &Database, reader: &Reader, after: Position) -> Result<Waiting, DbErr> {
    let wanted = match reader.categories.len() {
        0 => String::new(),
        n => format!(" AND s.category IN (?{})", ", ?".repeat(n - 1)),
    };
    let sql = format!(
        "SELECT COUNT(*), COALESCE({} - MIN(e.recorded_at), 0) FROM {} WHERE e.position > ? AND e.position <= ?{wanted}",
        now(db.backend()),
        events_with_streams(db.backend())
    );
    let mut values: Vec<Value> = vec![stored(after).into(), stored(after + SEARCHED).into()];
    values.extend(reader.categories.iter().map(|category| Value::from(*category)));
    let row = db.reader.query_one_raw(statement(db.backend(), &sql, values)).await?;
    let Some(row) = row else { return Ok(Waiting::default()) };
    let (events, longest) = (row.try_get_by_index(0).map(loaded)?, row.try_get_by_index(1).map(loaded)?);
    Ok(Waiting { events, longest: Duration::from_micros(longest) })
}

/// Moves a subscription's checkpoint to a position of the current log, back or forward: for operators, after the log
/// was rewound. Events quarantined after that position are dropped, because they are read again. Returns false if there
/// is no such subscription or the log is shorter.
///
/// # Errors
/// [`PortError`] when the database cannot be written.
pub async fn resume_after(db: &Database, name: &str, position: Position) -> Result<bool, PortError> {
    // The current holder loses its lease and claims it again from there.
    let sql = "UPDATE es_subscriptions SET position = ?, fence = fence + 1, owner = NULL, lease_until = 0, \
         hash = (SELECT substr(e.hash, 1, 8) FROM es_events e WHERE e.position = ?), \
         failed_at = NULL, failure = NULL, delayed_at = NULL, delay = NULL \
         WHERE name = ? AND ? <= COALESCE((SELECT MAX(e.position) FROM es_events e), 0)";
    let forget = "DELETE FROM es_set_aside WHERE name = ? AND position > ?";
    let [a, b, c, d] = [stored(position); 4].map(Value::from);
    let change = async {
        let tx = db.begin().await?;
        let changed = tx.execute_raw(statement(db.backend(), sql, vec![a, b, name.into(), c])).await?;
        let goes_on = changed.rows_affected() > 0;
        if goes_on {
            tx.execute_raw(statement(db.backend(), forget, vec![name.into(), d])).await?;
        }
        tx.commit().await?;
        Ok(goes_on)
    };
    change.await.map_err(Port("subscriptions").failed("having one go on"))
}

/// How far the newest event's time lies in the future; zero if it does not.
///
/// # Errors
/// [`PortError`] when the database cannot be read.
pub async fn ahead_of_time(db: &Database) -> Result<Duration, PortError> {
    let sql = format!("SELECT recorded_at - {} FROM es_events ORDER BY position DESC LIMIT 1", now(db.backend()));
    let read = async {
        let row = db.reader.query_one_raw(statement(db.backend(), &sql, vec![])).await?;
        row.map_or(Ok(0), |row| row.try_get_by_index(0).map(loaded))
    };
    let ahead = read.await.map_err(Port("event store").failed("comparing clocks"))?;
    Ok(Duration::from_micros(ahead))
}
