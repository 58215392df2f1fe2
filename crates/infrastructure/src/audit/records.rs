use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    audit::{Origin, SecurityRecord, SecurityRecords},
    error::PortError,
};
use sea_orm::{DbErr, EntityTrait, IntoActiveModel, sea_query::OnConflict};
use uuid::Uuid;

use super::entity::{origin, record};
use crate::sql::{Database, Port, delete_before, micros};

const PORT: Port = Port("security records");

/// Rows per insert.
const ROWS_AT_ONCE: usize = 500;
/// Limit of buffered rows; more are dropped, so that a flood does not exhaust memory.
const MOST_WAITING: usize = 10_000;

/// The buffered rows.
#[derive(Debug, Default)]
struct Waiting {
    records: Vec<record::Model>,
    origins: HashMap<Uuid, origin::Model>,
    dropped: Dropped,
}

/// The number of rows dropped since the last report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Dropped {
    records: u64,
    origins: u64,
}

/// Records in `security_records` and addresses in `request_origins`, buffered in memory and written periodically.
#[derive(Debug)]
pub struct SqlAudit {
    pub(super) db: Database,
    waiting: Mutex<Waiting>,
}

impl SqlAudit {
    /// Uses the trail of a database.
    #[must_use]
    pub fn new(db: Database) -> Self {
        Self { db, waiting: Mutex::default() }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the rows buffered since the last call.
    ///
    /// # Errors
    /// [`PortError`] when the write fails; the rows are kept for the next call.
    pub async fn flush(&self) -> Result<(), PortError> {
        let Waiting { records, origins, dropped } = mem::take(&mut *self.waiting());
        if dropped != Dropped::default() {
            let Dropped { records, origins } = dropped;
            tracing::warn!(
                records,
                origins,
                "too much happened at once: some records about security and some addresses are only in this log"
            );
        }
        let origins: Vec<_> = origins.into_values().collect();
        if let Err(error) = self.write(&records, &origins).await {
            records.into_iter().for_each(|row| self.put(row));
            origins.into_iter().for_each(|row| self.put_origin(row));
            return Err(PORT.failed("writing records")(error));
        }
        Ok(())
    }

    fn put(&self, row: record::Model) {
        let mut waiting = self.waiting();
        if waiting.records.len() < MOST_WAITING {
            waiting.records.push(row);
        } else {
            waiting.dropped.records += 1;
        }
    }

    fn put_origin(&self, row: origin::Model) {
        let mut waiting = self.waiting();
        let full = waiting.origins.len() >= MOST_WAITING;
        if full && !waiting.origins.contains_key(&row.correlation_id) {
            waiting.dropped.origins += 1;
        } else {
            waiting.origins.entry(row.correlation_id).or_insert(row);
        }
    }

    /// Idempotent: rows that exist are left unchanged.
    async fn write(&self, records: &[record::Model], origins: &[origin::Model]) -> Result<(), DbErr> {
        for some in records.chunks(ROWS_AT_ONCE) {
            let rows = some.iter().map(|row| row.clone().into_active_model());
            let known = OnConflict::column(record::Column::Id).do_nothing().to_owned();
            record::Entity::insert_many(rows).on_conflict(known).exec_without_returning(&self.db.writer).await?;
        }
        for some in origins.chunks(ROWS_AT_ONCE) {
            let rows = some.iter().map(|row| row.clone().into_active_model());
            let known = OnConflict::column(origin::Column::CorrelationId).do_nothing().to_owned();
            origin::Entity::insert_many(rows).on_conflict(known).exec_without_returning(&self.db.writer).await?;
        }
        Ok(())
    }

    async fn delete(&self, before: i64) -> Result<u64, DbErr> {
        delete_before(&self.db, "request_origins", "correlation_id", "happened_at", before).await?;
        delete_before(&self.db, "security_records", "id", "happened_at", before).await
    }
}

#[async_trait]
impl SecurityRecords for SqlAudit {
    fn keep(&self, record: SecurityRecord) {
        self.put(record::Model {
            id: record.id,
            happened_at: micros(record.at),
            kind: record.event.as_str().to_owned(),
            outcome: record.event.outcome().as_str().to_owned(),
            actor: record.actor,
            source: record.source.map(|source| source.to_string()),
            project_id: record.project.map(Uuid::from),
            target: record.target,
            correlation_id: record.correlation_id,
        });
    }

    fn locate(&self, Origin { correlation_id, source, at }: Origin) {
        self.put_origin(origin::Model { correlation_id, source: source.to_string(), happened_at: micros(at) });
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        self.flush().await?;
        self.delete(micros(before)).await.map_err(PORT.failed("sweeping records"))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use devskyy_application::audit::{Origin, SecurityRecords as _};
    use uuid::Uuid;

    use super::{Dropped, MOST_WAITING, SqlAudit};
    use crate::sql::{Database, tests::on_both_engines};

    on_both_engines!(addresses_that_are_not_kept_are_counted);

    async fn addresses_that_are_not_kept_are_counted(db: &Database) {
        let audit = SqlAudit::new(db.clone());
        for number in 0..MOST_WAITING + 3 {
            let correlation_id = Uuid::from_u128(number as u128);
            audit.locate(Origin { correlation_id, source: [203, 0, 113, 7].into(), at: DateTime::UNIX_EPOCH });
        }
        assert_eq!(audit.waiting().dropped, Dropped { records: 0, origins: 3 });
    }
}
