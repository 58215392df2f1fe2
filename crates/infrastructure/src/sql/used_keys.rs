use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{error::PortError, identity::Perishable};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::{Database, Port, micros};
use crate::es::statement;

/// Keys deleted per transaction, so that other writers can proceed in between.
const AT_ONCE: i64 = 1_000;

/// The idempotency keys stored by the log.
#[derive(Debug, Clone)]
pub struct SqlUsedKeys(Database);

impl SqlUsedKeys {
    /// The keys of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }

    async fn delete(&self, before: i64) -> Result<u64, DbErr> {
        let mut deleted = 0;
        while let Some(upto) = self.use_beyond_the_oldest(before).await? {
            deleted += self.delete_before(upto).await?;
        }
        Ok(deleted + self.delete_before(before).await?)
    }

    async fn use_beyond_the_oldest(&self, before: i64) -> Result<Option<i64>, DbErr> {
        let sql = "SELECT recorded_at FROM es_dedup WHERE recorded_at < ? AND recorded_at > \
             (SELECT MIN(recorded_at) FROM es_dedup) ORDER BY recorded_at LIMIT 1 OFFSET ?";
        let values: Vec<Value> = vec![before.into(), AT_ONCE.into()];
        let row = self.0.writer.query_one_raw(statement(self.0.backend(), sql, values)).await?;
        row.map(|row| row.try_get_by_index(0)).transpose()
    }

    async fn delete_before(&self, before: i64) -> Result<u64, DbErr> {
        let sql = "DELETE FROM es_dedup WHERE recorded_at < ?";
        let deleted = self.0.writer.execute_raw(statement(self.0.backend(), sql, vec![before.into()])).await?;
        Ok(deleted.rows_affected())
    }
}

#[async_trait]
impl Perishable for SqlUsedKeys {
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        self.delete(micros(before)).await.map_err(Port("used keys").failed("forgetting keys"))
    }
}
