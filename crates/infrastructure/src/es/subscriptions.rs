use std::{collections::HashMap, time::Duration};

use devskyy_application::{
    error::PortError,
    es::{Position, Reader},
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::{checkpoints::now, rows::events_with_streams, statements::statement};
use crate::sql::{Database, Port, loaded, stored};

/// Positions behind a checkpoint that are searched for what a subscription has yet to deal with: as many as may go by
/// without a wanted event before the checkpoint is moved.
const SEARCHED: u64 = 5_000;
/// How long a wanted event may wait before something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most events that are told of that one subscription set aside.
const TOLD: u64 = 20;

/// A subscription as operators look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionState {
    /// Its stable name.
    pub name: String,
    /// The last position that was certainly dealt with; stretches without a wanted event are not counted at once.
    pub position: Position,
    /// Where the log ends.
    pub head: Position,
    /// Who runs it, or did last and has not given it back.
    pub runner: Option<Runner>,
    /// Where it stopped, and why; nothing where it goes on.
    pub stopped: Option<(Position, String)>,
    /// What it set aside to try it again later, and why; the oldest first, some of it where that is much.
    pub aside: Vec<(Position, String)>,
    /// What it tries again and again, and why it fails.
    pub delayed: Option<(Position, String)>,
    /// What it has yet to deal with; nothing where nobody knows what it wants.
    pub waiting: Option<Waiting>,
}

/// Whoever holds the lease of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runner {
    /// The process.
    pub owner: Uuid,
    /// For how many seconds more; below zero since it is over. Where only one process can claim it, nobody renews it.
    pub lease_s: i64,
}

/// Wanted events that were not dealt with yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// How many, at most 5,000 positions ahead.
    pub events: u64,
    /// How long the oldest has waited.
    pub longest: Duration,
}

impl SubscriptionState {
    /// Whether a wanted event has waited for more than 30 seconds: nobody runs it, or what it does takes too long or fails.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.waiting.is_some_and(|waiting| waiting.longest > PATIENCE)
    }
}

/// How every subscription that has ever run is doing, by name. What is waiting is known of those among the readers.
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

/// What is told of that all of them set aside, by name.
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

/// Has a subscription go on behind a position of the log as it is now, whatever it dealt with before: what an operator
/// does after the log was put back. What it set aside behind that position it hears of again anyway, and other events may be
/// there now. False where there is no such subscription, or the log does not go as far.
///
/// # Errors
/// [`PortError`] when the database cannot be written.
pub async fn resume_after(db: &Database, name: &str, position: Position) -> Result<bool, PortError> {
    // Whoever holds the lease loses it, and claims it again from there.
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

/// How far the newest event's time lies in the future; zero where it does not.
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
