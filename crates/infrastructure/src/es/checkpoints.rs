use std::time::Duration;

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{Checkpoints, Lease, Position},
};
use sea_orm::{ConnectionTrait, DatabaseBackend, QueryResult, Value};
use uuid::Uuid;

use super::statements::statement;
use crate::sql::{Database, loaded, port_error, stored};

/// Checkpoints and leases beside the log. The database's clock decides, so that replicas' clocks need not agree.
#[derive(Debug, Clone)]
pub struct SqlCheckpoints {
    db: Database,
}

impl SqlCheckpoints {
    /// Keeps them in a migrated database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self { db }
    }

    async fn change(&self, sql: &str, values: Vec<Value>) -> Result<Option<QueryResult>, PortError> {
        let clock = match self.db.backend() {
            DatabaseBackend::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
            _ => "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
        };
        let sql = sql.replace("{now}", clock);
        // One statement is a transaction of its own; it ends when its last row is read.
        let changed = self.db.writer.query_all_raw(statement(self.db.backend(), &sql, values)).await;
        changed
            .map(|rows| rows.into_iter().next())
            .map_err(|error| port_error("checkpoints", "keeping a checkpoint", error))
    }
}

/// Only the holder of the current fence changes a row.
const CURRENT: &str = "WHERE name = ? AND fence = ? AND owner IS NOT NULL RETURNING fence";

fn held(lease: &Lease) -> [Value; 2] {
    [lease.name.as_str().into(), stored(lease.fence).into()]
}

#[async_trait]
impl Checkpoints for SqlCheckpoints {
    async fn claim(&self, name: &str, owner: Uuid, ttl: Duration) -> Result<Option<Lease>, PortError> {
        let sql = "INSERT INTO es_subscriptions (name, owner, fence, lease_until) VALUES (?, ?, 1, {now} + ?) \
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, fence = es_subscriptions.fence + 1, \
             lease_until = excluded.lease_until WHERE es_subscriptions.owner IS NULL \
             OR es_subscriptions.owner = excluded.owner OR es_subscriptions.lease_until <= {now} \
             RETURNING fence, position";
        let Some(row) = self.change(sql, vec![name.into(), owner.into(), micros(ttl)]).await? else {
            return Ok(None);
        };
        let number = |index| row.try_get_by_index(index).map(loaded);
        let lease = || Ok(Lease { name: name.to_owned(), fence: number(0)?, position: number(1)? });
        lease().map(Some).map_err(|error| port_error("checkpoints", "reading a lease", error))
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<bool, PortError> {
        let sql = format!("UPDATE es_subscriptions SET lease_until = {{now}} + ? {CURRENT}");
        let [name, fence] = held(lease);
        Ok(self.change(&sql, vec![micros(ttl), name, fence]).await?.is_some())
    }

    async fn advance(&self, lease: &Lease, to: Position) -> Result<bool, PortError> {
        let sql = format!(
            "UPDATE es_subscriptions SET position = CASE WHEN position < ? THEN ? ELSE position END, \
             failed_at = NULL, failure = NULL {CURRENT}"
        );
        let [name, fence] = held(lease);
        Ok(self.change(&sql, vec![stored(to).into(), stored(to).into(), name, fence]).await?.is_some())
    }

    async fn stop(&self, lease: &Lease, at: Position, failure: &str) -> Result<bool, PortError> {
        let before = stored(at.saturating_sub(1));
        let sql = format!(
            "UPDATE es_subscriptions SET position = CASE WHEN position < ? THEN ? ELSE position END, \
             failed_at = ?, failure = ? {CURRENT}"
        );
        let [name, fence] = held(lease);
        let values = vec![before.into(), before.into(), stored(at).into(), failure.into(), name, fence];
        Ok(self.change(&sql, values).await?.is_some())
    }

    async fn release(&self, lease: &Lease) -> Result<(), PortError> {
        let sql = format!("UPDATE es_subscriptions SET owner = NULL, lease_until = 0 {CURRENT}");
        self.change(&sql, held(lease).to_vec()).await.map(|_| ())
    }
}

fn micros(duration: Duration) -> Value {
    stored(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)).into()
}
