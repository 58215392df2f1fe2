//! Reads long stretches of the log, for those who derive something from all of it.

use devskyy_application::{error::PortError, es::RecordedEvent};
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, Value};

use super::{
    projection::Projection,
    rows::{Decoder, SELECT_EVENT, stored},
    statements::statement,
};
use crate::sql::port_error;

/// Positions read at once while replaying.
pub(super) const STRETCH: u64 = 5_000;

/// Reads the events of one stretch after a position, of these categories; all of them when there is none.
pub(super) async fn stretch(
    connection: &impl ConnectionTrait,
    after: u64,
    categories: &[&'static str],
) -> Result<Vec<RecordedEvent>, PortError> {
    let wanted = match categories.len() {
        0 => String::new(),
        n => format!("AND s.category IN (?{}) ", ", ?".repeat(n - 1)),
    };
    let sql = format!(
        "SELECT {SELECT_EVENT} FROM es_events e JOIN es_streams s ON s.stream_no = e.stream_no \
         WHERE e.position > ? AND e.position <= ? {wanted}ORDER BY e.position"
    );
    let mut values: Vec<Value> = vec![stored(after).into(), stored(after + STRETCH).into()];
    values.extend(categories.iter().map(|category| Value::from(*category)));
    let rows = connection.query_all_raw(statement(connection.get_database_backend(), &sql, values)).await;
    let rows = rows.map_err(|error| port_error("event store", "replaying events", error))?;
    let mut decoder = Decoder::default();
    rows.iter().map(|row| decoder.event(row)).collect()
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
