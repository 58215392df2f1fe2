use std::time::Duration;

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{Aside, Position, SetAside},
};
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, QueryResult, Value};

use super::statements::statement;
use crate::sql::{Database, loaded, port_error, stored};

/// Most bytes kept of why an event was set aside.
const FAILURE: usize = 4_096;

/// What subscriptions set aside, beside the log. The database's clock decides, so that replicas' clocks need not agree.
#[derive(Debug, Clone)]
pub struct SqlSetAside {
    db: Database,
}

impl SqlSetAside {
    /// Keeps it in a migrated database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self { db }
    }

    async fn ask(&self, doing: &'static str, sql: &str, values: Vec<Value>) -> Result<Vec<QueryResult>, PortError> {
        let clock = match self.db.backend() {
            DatabaseBackend::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
            _ => "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
        };
        let sql = sql.replace("{now}", clock);
        let rows = self.db.writer.query_all_raw(statement(self.db.backend(), &sql, values)).await;
        rows.map_err(|error| port_error("set-aside events", doing, error))
    }
}

#[async_trait]
impl SetAside for SqlSetAside {
    async fn put(&self, name: &str, at: Position, failure: &str, pause: Duration) -> Result<(), PortError> {
        let sql = "INSERT INTO es_set_aside (name, position, failures, failure, due_at) VALUES (?, ?, 1, ?, {now} + ?) \
             ON CONFLICT (name, position) DO UPDATE SET failures = es_set_aside.failures + 1, \
             failure = excluded.failure, due_at = excluded.due_at RETURNING failures";
        let failure: String = failure[..failure.floor_char_boundary(FAILURE)].replace('\0', "\u{fffd}");
        let pause = u64::try_from(pause.as_micros()).unwrap_or(u64::MAX);
        let values = vec![name.into(), stored(at).into(), failure.into(), stored(pause).into()];
        self.ask("setting one aside", sql, values).await.map(|_| ())
    }

    async fn due(&self, name: &str, most: u64) -> Result<Vec<Aside>, PortError> {
        let sql = "SELECT position, failures FROM es_set_aside WHERE name = ? AND due_at <= {now} \
             ORDER BY position LIMIT ?";
        let rows = self.ask("looking for those that are due", sql, vec![name.into(), stored(most).into()]).await?;
        let due: Result<Vec<Aside>, DbErr> = rows.iter().map(aside).collect();
        due.map_err(|error| port_error("set-aside events", "reading one", error))
    }

    async fn settle(&self, name: &str, at: Position) -> Result<(), PortError> {
        let sql = "DELETE FROM es_set_aside WHERE name = ? AND position = ? RETURNING position";
        self.ask("forgetting one", sql, vec![name.into(), stored(at).into()]).await.map(|_| ())
    }
}

fn aside(row: &QueryResult) -> Result<Aside, DbErr> {
    let failures: i64 = row.try_get_by_index(1)?;
    let failures = u32::try_from(failures).unwrap_or(u32::MAX);
    Ok(Aside { position: row.try_get_by_index(0).map(loaded)?, failures })
}
