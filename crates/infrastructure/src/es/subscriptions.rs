use devskyy_application::{error::PortError, es::Position};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};

use super::statements::statement;
use crate::sql::{Database, loaded, port_error, stored};

/// A subscription as operators look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionState {
    /// Its stable name.
    pub name: String,
    /// The last position that was certainly dealt with; stretches without a wanted event are not counted at once.
    pub position: Position,
    /// Where it stopped, and why; nothing where it goes on.
    pub stopped: Option<(Position, String)>,
    /// What it set aside to try it again later, and why; the oldest first, some of it where that is much.
    pub aside: Vec<(Position, String)>,
}

/// Most events that are told of that one subscription set aside.
const TOLD: u64 = 20;

/// How every subscription that has ever run is doing, by name.
///
/// # Errors
/// [`PortError`] when the database cannot be read.
pub async fn subscriptions(db: &Database) -> Result<Vec<SubscriptionState>, PortError> {
    let sql = "SELECT name, position, failed_at, failure FROM es_subscriptions ORDER BY name";
    let rows = db.reader.query_all_raw(statement(db.backend(), sql, vec![])).await;
    let failed = |error| port_error("subscriptions", "reading how they are doing", error);
    let mut states: Vec<SubscriptionState> = rows.and_then(|rows| rows.iter().map(state).collect()).map_err(failed)?;
    for state in &mut states {
        state.aside = aside(db, &state.name).await.map_err(failed)?;
    }
    Ok(states)
}

async fn aside(db: &Database, name: &str) -> Result<Vec<(Position, String)>, DbErr> {
    let sql = "SELECT position, failure FROM es_set_aside WHERE name = ? ORDER BY position LIMIT ?";
    let rows = db.reader.query_all_raw(statement(db.backend(), sql, vec![name.into(), stored(TOLD).into()])).await?;
    let told = |row: &QueryResult| Ok((row.try_get_by_index(0).map(loaded)?, row.try_get_by_index(1)?));
    rows.iter().map(told).collect()
}

fn state(row: &QueryResult) -> Result<SubscriptionState, DbErr> {
    let failed_at: Option<i64> = row.try_get_by_index(2)?;
    let failure: Option<String> = row.try_get_by_index(3)?;
    Ok(SubscriptionState {
        name: row.try_get_by_index(0)?,
        position: row.try_get_by_index(1).map(loaded)?,
        stopped: failed_at.map(|at| (loaded(at), failure.unwrap_or_default())),
        aside: Vec::new(),
    })
}
