use std::time::Duration;

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    runs::{Appetite, Claim, Claims, RunQueue},
};
use devskyy_domain::kernel::ids::RunId;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr, QueryResult, Value};
use uuid::Uuid;

use crate::{
    es::statement,
    sql::{Database, instant, loaded, port_error, stored},
};

const PORT: &str = "run queue";

/// Hands out runs by leases beside the projection. The database's clock decides, so that replicas' clocks need not agree.
#[derive(Debug, Clone)]
pub struct SqlRunQueue {
    db: Database,
}

/// Rows that others are looking at are skipped on PostgreSQL, so that workers do not wait for each other; SQLite has one
/// writer at a time anyway. The condition on a conflict is the same again, because another worker may have been faster.
///
/// A project's next run has the turn after those of its runs that are held; the lowest turns come first.
const CLAIM: &str = "WITH clock AS ({moment}), \
     held AS (SELECT r.project_id, COUNT(*) AS runs FROM run_leases l JOIN runs r ON r.id = l.run_id \
     WHERE l.lease_until >= {now} AND l.fence >= r.fence AND r.ready_at <= {now} GROUP BY r.project_id), \
     turns AS (SELECT r.id, COALESCE(h.runs, 0) + ROW_NUMBER() OVER (PARTITION BY r.project_id \
     ORDER BY r.priority DESC, r.ready_at, r.id) AS turn \
     FROM runs r LEFT JOIN run_leases l ON l.run_id = r.id LEFT JOIN held h ON h.project_id = r.project_id \
     WHERE {free}), \
     due AS (SELECT r.id, r.fence FROM turns t JOIN runs r ON r.id = t.id WHERE t.turn <= {big} \
     ORDER BY t.turn, r.priority DESC, r.ready_at, r.id LIMIT {big} {skip}) \
     INSERT INTO run_leases (run_id, owner, fence, lease_until) \
     SELECT id, {text}, fence + 1, {now} + {big} FROM due WHERE true \
     ON CONFLICT (run_id) DO UPDATE SET owner = excluded.owner, fence = excluded.fence, \
     lease_until = excluded.lease_until \
     WHERE run_leases.lease_until < {now} OR run_leases.fence < excluded.fence - 1 \
     RETURNING run_id, fence";

/// A run that is due, that nobody holds and whose project is in use; one that is to end ends in any project.
const FREE: &str = "r.ready_at <= {now} AND (l.run_id IS NULL OR l.lease_until < {now} OR l.fence < r.fence) \
     AND (r.status = 'cancelling' OR r.deadline <= {now} OR NOT EXISTS \
     (SELECT 1 FROM projects p WHERE p.id = r.project_id AND p.status <> 'active'))";

/// One look at the queue is at one moment: a lease that lapsed between two statements would be neither claimed nor told.
const NOW: &str = "{clock}";

const NEXT_DUE: &str = "WITH clock AS ({moment}) \
     SELECT (SELECT MIN(ready_at) FROM runs WHERE ready_at > {now}) - {now}, \
     (SELECT MIN(lease_until) FROM run_leases WHERE lease_until >= {now}) - {now}, \
     (SELECT MIN(r.deadline) FROM runs r JOIN projects p ON p.id = r.project_id \
     WHERE r.ready_at <= {now} AND r.deadline > {now} AND p.status <> 'active') - {now}";

const LEFT_OVER: &str = "WITH clock AS ({moment}) \
     SELECT r.id FROM runs r LEFT JOIN run_leases l ON l.run_id = r.id WHERE {free} LIMIT 1";

/// Shares are exact only when nobody else counts at the same time; SQLite has one writer anyway.
const ALONE: &str = "SELECT pg_advisory_xact_lock(hashtext('devskyy.run_queue'))";

const RENEW: &str = "WITH clock AS ({clock}) UPDATE run_leases SET lease_until = {now} + {big}, fence = {big} \
     WHERE run_id = ? AND owner = ? AND fence <= ? \
     AND EXISTS (SELECT 1 FROM runs WHERE id = ? AND fence <= ? AND ready_at IS NOT NULL) RETURNING fence";

impl SqlRunQueue {
    /// The queue of a migrated database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self { db }
    }

    fn sql(&self, text: &str) -> String {
        let (clock, skip, string, big) = match self.db.backend() {
            DatabaseBackend::Postgres => (
                "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) AS now",
                "FOR UPDATE OF r SKIP LOCKED",
                "CAST(? AS TEXT)",
                "CAST(? AS BIGINT)",
            ),
            _ => ("SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER) AS now", "", "?", "?"),
        };
        let text = text.replace("{free}", FREE).replace("{now}", "(SELECT now FROM clock)");
        let text = text.replace("{moment}", "SELECT CAST(? AS BIGINT) AS now");
        text.replace("{clock}", clock).replace("{skip}", skip).replace("{text}", string).replace("{big}", big)
    }

    async fn all(&self, tx: &DatabaseTransaction, sql: &str, values: Vec<Value>) -> Result<Vec<QueryResult>, DbErr> {
        tx.query_all_raw(statement(self.db.backend(), &self.sql(sql), values)).await
    }

    async fn look(&self, worker: &str, appetite: Appetite) -> Result<Claims, DbErr> {
        let Appetite { most, per_project, lease } = appetite;
        let tx = self.db.begin().await?;
        if per_project.is_some() && self.db.backend() == DatabaseBackend::Postgres {
            tx.execute_unprepared(ALONE).await?;
        }
        let clock = self.all(&tx, NOW, vec![]).await?;
        let now = clock.first().map(|row| row.try_get_by_index::<i64>(0)).transpose()?.unwrap_or_default();
        let (share, limit) = (number(per_project.unwrap_or(usize::MAX)), number(most));
        let values = vec![now.into(), share.into(), limit.into(), worker.into(), micros(lease).into()];
        let rows = self.all(&tx, CLAIM, values).await?;
        let due = self.all(&tx, NEXT_DUE, vec![now.into()]).await?;
        let shared = per_project.is_some() && rows.len() < most;
        let held_back = shared && !self.all(&tx, LEFT_OVER, vec![now.into()]).await?.is_empty();
        tx.commit().await?;
        let claim = |row: &QueryResult| {
            let run = RunId::from(row.try_get_by_index::<Uuid>(0)?);
            Ok(Claim { run, fence: loaded(row.try_get_by_index(1)?) })
        };
        let runs = rows.iter().map(claim).collect::<Result<_, DbErr>>()?;
        let mut next = Vec::new();
        for row in &due {
            for column in 0..3 {
                next.extend(row.try_get_by_index::<Option<i64>>(column)?);
            }
        }
        let next_due = next.into_iter().min().map(|micros| Duration::from_micros(loaded(micros)));
        Ok(Claims { runs, at: instant(now), next_due, held_back })
    }

    async fn change(&self, sql: &str, values: Vec<Value>) -> Result<bool, DbErr> {
        let tx = self.db.begin().await?;
        let changed = self.all(&tx, sql, values).await?;
        tx.commit().await?;
        Ok(!changed.is_empty())
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Does the work in a task of its own: a worker looks after many runs at once, and one that is not looked at must never
/// keep the connection that all others wait for.
async fn aside<T: Send + 'static>(
    doing: &'static str,
    work: impl Future<Output = Result<T, DbErr>> + Send + 'static,
) -> Result<T, PortError> {
    let done = tokio::spawn(work).await.map_err(|error| PortError::transient(PORT, doing, error))?;
    done.map_err(|error| port_error(PORT, doing, error))
}

#[async_trait]
impl RunQueue for SqlRunQueue {
    async fn claim(&self, worker: &str, appetite: Appetite) -> Result<Claims, PortError> {
        let (queue, worker) = (self.clone(), worker.to_owned());
        aside("claiming runs", async move { queue.look(&worker, appetite).await }).await
    }

    async fn renew(&self, worker: &str, claim: Claim, lease: Duration) -> Result<bool, PortError> {
        let (run, fence) = (Uuid::from(claim.run), stored(claim.fence));
        let values =
            vec![micros(lease).into(), fence.into(), run.into(), worker.into(), fence.into(), run.into(), fence.into()];
        let queue = self.clone();
        aside("renewing a lease", async move { queue.change(RENEW, values).await }).await
    }

    async fn release(&self, worker: &str, claim: Claim) -> Result<(), PortError> {
        let sql = "DELETE FROM run_leases WHERE run_id = ? AND owner = ? AND fence = ? RETURNING fence";
        let values = vec![Uuid::from(claim.run).into(), worker.into(), stored(claim.fence).into()];
        let queue = self.clone();
        aside("giving a lease back", async move { queue.change(sql, values).await.map(|_| ()) }).await
    }
}
