use std::time::Duration;

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{Checkpoints, Halt, Lease, Position},
};
use sea_orm::{ConnectionTrait, DatabaseBackend, QueryResult, Value};
use uuid::Uuid;

use super::statements::statement;
use crate::sql::{Database, Port, loaded, stored};

const PORT: Port = Port("checkpoints");

/// Checkpoints and leases in the log's database. They use its clock, so that replicas' clocks need not agree.
#[derive(Debug, Clone)]
pub struct SqlCheckpoints {
    db: Database,
}

impl SqlCheckpoints {
    /// Stores them in a migrated database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self { db }
    }

    async fn change(&self, sql: &str, values: Vec<Value>) -> Result<Option<QueryResult>, PortError> {
        let sql = sql.replace("{now}", now(self.db.backend()));
        // A single statement is its own transaction; it ends when its last row is read.
        let changed = self.db.writer.query_all_raw(statement(self.db.backend(), &sql, values)).await;
        changed.map(|rows| rows.into_iter().next()).map_err(PORT.failed("keeping a checkpoint"))
    }
}

/// The database's clock in microseconds since 1970.
pub(super) const fn now(backend: DatabaseBackend) -> &'static str {
    match backend {
        DatabaseBackend::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
        _ => "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
    }
}

/// Only the holder of the current fence may change a row.
const HELD: &str = "WHERE name = ? AND fence = ? AND owner IS NOT NULL";

/// Advances a checkpoint to a position (bound four times), never back, with the hash prefix of the event there.
const FORWARD: &str = "hash = CASE WHEN position < ? THEN \
     (SELECT substr(e.hash, 1, 8) FROM es_events e WHERE e.position = ?) ELSE hash END, \
     position = CASE WHEN position < ? THEN ? ELSE position END";

/// Whether the log holds the checkpoint's event. Without a hash, as in older databases, only its position is compared.
const FOUND: &str = "CASE WHEN es_subscriptions.position = 0 OR EXISTS (SELECT 1 FROM es_events e \
     WHERE e.position = es_subscriptions.position AND (es_subscriptions.hash IS NULL \
     OR es_subscriptions.hash = substr(e.hash, 1, 8))) THEN 1 ELSE 0 END";

fn held(lease: &Lease) -> [Value; 2] {
    [lease.name.as_str().into(), stored(lease.fence).into()]
}

#[async_trait]
impl Checkpoints for SqlCheckpoints {
    async fn claim(&self, name: &str, owner: Uuid, ttl: Duration) -> Result<Option<Lease>, PortError> {
        let sql = format!(
            "INSERT INTO es_subscriptions (name, owner, fence, lease_until) VALUES (?, ?, 1, {{now}} + ?) \
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, fence = es_subscriptions.fence + 1, \
             lease_until = excluded.lease_until WHERE es_subscriptions.owner IS NULL \
             OR es_subscriptions.owner = excluded.owner OR es_subscriptions.lease_until <= {{now}} \
             RETURNING fence, position, {FOUND}"
        );
        let Some(row) = self.change(&sql, vec![name.into(), owner.into(), micros(ttl)]).await? else {
            return Ok(None);
        };
        let number = |index| row.try_get_by_index(index).map(loaded);
        let lease = || {
            let astray = row.try_get_by_index::<i32>(2)? == 0;
            Ok(Lease { name: name.to_owned(), fence: number(0)?, position: number(1)?, astray })
        };
        lease().map(Some).map_err(PORT.failed("reading a lease"))
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<bool, PortError> {
        let sql = format!("UPDATE es_subscriptions SET lease_until = {{now}} + ? {HELD} RETURNING fence");
        let [name, fence] = held(lease);
        Ok(self.change(&sql, vec![micros(ttl), name, fence]).await?.is_some())
    }

    async fn advance(&self, lease: &Lease, to: Position, hash: &[u8; 32]) -> Result<bool, PortError> {
        // Only an event that the log holds can have been processed, and not another one at its position after a rewind.
        let sql = format!(
            "UPDATE es_subscriptions SET {FORWARD}, failed_at = NULL, failure = NULL, delayed_at = NULL, delay = NULL \
             {HELD} AND EXISTS (SELECT 1 FROM es_events e WHERE e.position = ? AND e.hash = ?) RETURNING fence"
        );
        let [name, fence] = held(lease);
        let [a, b, c, d, e] = [stored(to); 5].map(Value::from);
        Ok(self.change(&sql, vec![a, b, c, d, name, fence, e, hash.to_vec().into()]).await?.is_some())
    }

    async fn halt(&self, lease: &Lease, at: Position, halt: Halt<'_>) -> Result<bool, PortError> {
        let (what, why) = match halt {
            Halt::Delayed(why) => ("delayed_at = ?, delay = ?", why),
            Halt::Stopped(why) => ("failed_at = ?, failure = ?, delayed_at = NULL, delay = NULL", why),
        };
        let sql = format!("UPDATE es_subscriptions SET {FORWARD}, {what} {HELD} RETURNING fence");
        let [name, fence] = held(lease);
        let [a, b, c, d] = [stored(at.saturating_sub(1)); 4].map(Value::from);
        Ok(self.change(&sql, vec![a, b, c, d, stored(at).into(), why.into(), name, fence]).await?.is_some())
    }

    async fn release(&self, lease: &Lease) -> Result<(), PortError> {
        let sql = format!("UPDATE es_subscriptions SET owner = NULL, lease_until = 0 {HELD} RETURNING fence");
        self.change(&sql, held(lease).to_vec()).await.map(|_| ())
    }
}

fn micros(duration: Duration) -> Value {
    stored(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)).into()
}
