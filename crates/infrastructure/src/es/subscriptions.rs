use devskyy_application::{error::PortError, es::Position};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};

use super::statements::statement;
use crate::sql::{Database, loaded, port_error};

/// A subscription as operators look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionState {
    /// Its stable name.
    pub name: String,
    /// The last position that was certainly dealt with; stretches without a wanted event are not counted at once.
    pub position: Position,
    /// Where it stopped, and why; nothing where it goes on.
    pub stopped: Option<(Position, String)>,
}

/// How every subscription that has ever run is doing, by name.
///
/// # Errors
/// [`PortError`] when the database cannot be read.
pub async fn subscriptions(db: &Database) -> Result<Vec<SubscriptionState>, PortError> {
    let sql = "SELECT name, position, failed_at, failure FROM es_subscriptions ORDER BY name";
    let rows = db.reader.query_all_raw(statement(db.backend(), sql, vec![])).await;
    let states = rows.and_then(|rows| rows.iter().map(state).collect());
    states.map_err(|error| port_error("subscriptions", "reading how they are doing", error))
}

fn state(row: &QueryResult) -> Result<SubscriptionState, DbErr> {
    let failed_at: Option<i64> = row.try_get_by_index(2)?;
    let failure: Option<String> = row.try_get_by_index(3)?;
    Ok(SubscriptionState {
        name: row.try_get_by_index(0)?,
        position: row.try_get_by_index(1).map(loaded)?,
        stopped: failed_at.map(|at| (loaded(at), failure.unwrap_or_default())),
    })
}
