use std::time::Duration;

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{Aside, Position, SetAside},
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};

use super::{checkpoints::now, statements::statement};
use crate::sql::{Database, Port, loaded, stored};

const PORT: Port = Port("set-aside events");

/// Length limit of a stored failure, in bytes.
const FAILURE: usize = 4_096;

/// Quarantined events in the log's database. They use its clock, so that replicas' clocks need not agree.
#[derive(Debug, Clone)]
pub struct SqlSetAside {
    db: Database,
}

impl SqlSetAside {
    /// Stores them in a migrated database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self { db }
    }

    fn timed(&self, sql: &str, values: Vec<Value>) -> Statement {
        let backend = self.db.backend();
        statement(backend, &sql.replace("{now}", now(backend)), values)
    }

    async fn change(&self, doing: &'static str, sql: &str, values: Vec<Value>) -> Result<(), PortError> {
        let changed = self.db.writer.execute_raw(self.timed(sql, values)).await;
        changed.map(|_| ()).map_err(PORT.failed(doing))
    }
}

#[async_trait]
impl SetAside for SqlSetAside {
    async fn put(&self, name: &str, at: Position, failure: &str, pause: Duration) -> Result<(), PortError> {
        let sql = "INSERT INTO es_set_aside (name, position, failures, failure, due_at) VALUES (?, ?, 1, ?, {now} + ?) \
             ON CONFLICT (name, position) DO UPDATE SET failures = es_set_aside.failures + 1, \
             failure = excluded.failure, due_at = excluded.due_at";
        let failure: String = failure[..failure.floor_char_boundary(FAILURE)].replace('\0', "\u{fffd}");
        let pause = u64::try_from(pause.as_micros()).unwrap_or(u64::MAX);
        let values = vec![name.into(), stored(at).into(), failure.into(), stored(pause).into()];
        self.change("setting one aside", sql, values).await
    }

    async fn due(&self, name: &str, most: u64) -> Result<Vec<Aside>, PortError> {
        let sql = "SELECT position, failures FROM es_set_aside WHERE name = ? AND due_at <= {now} \
             ORDER BY position LIMIT ?";
        let due = self.timed(sql, vec![name.into(), stored(most).into()]);
        let read = async {
            let rows = self.db.reader.query_all_raw(due).await?;
            rows.iter().map(aside).collect::<Result<Vec<_>, DbErr>>()
        };
        read.await.map_err(PORT.failed("looking for those that are due"))
    }

    async fn settle(&self, name: &str, at: Position) -> Result<(), PortError> {
        let sql = "DELETE FROM es_set_aside WHERE name = ? AND position = ?";
        self.change("forgetting one", sql, vec![name.into(), stored(at).into()]).await
    }
}

fn aside(row: &QueryResult) -> Result<Aside, DbErr> {
    let failures: i64 = row.try_get_by_index(1)?;
    let failures = u32::try_from(failures).unwrap_or(u32::MAX);
    Ok(Aside { position: row.try_get_by_index(0).map(loaded)?, failures })
}
