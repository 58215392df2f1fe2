use std::time::Duration;

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    runs::{Appetite, Claim, Claims, RunQueue},
};
use devskyy_domain::kernel::ids::RunId;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};
use uuid::Uuid;

use super::turns::Turns;
use crate::sql::{Database, Port, instant, loaded, stored};

const PORT: Port = Port("run queue");

/// Leases runs in a table next to the projection. It uses the database's clock, so replicas' clocks may differ.
#[derive(Debug, Clone)]
pub struct SqlRunQueue {
    db: Database,
}

impl SqlRunQueue {
    /// Creates the queue of a migrated database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self { db }
    }

    fn turns(&self) -> Turns {
        Turns(self.db.backend())
    }

    async fn all(&self, db: &impl ConnectionTrait, sql: String, values: Vec<Value>) -> Result<Vec<QueryResult>, DbErr> {
        db.query_all_raw(Statement::from_sql_and_values(self.db.backend(), sql, values)).await
    }

    async fn look(&self, worker: &str, appetite: Appetite) -> Result<Claims, DbErr> {
        let (now, runs) = self.take(worker, appetite).await?;
        // These reads run outside the transaction, so that writers do not wait for them.
        let due = self.all(&self.db.reader, Turns::next_due(), vec![now.into()]).await?;
        let shared = appetite.per_project.is_some() && runs.len() < appetite.most;
        let held_back =
            shared && !self.all(&self.db.reader, self.turns().left_over(), vec![now.into()]).await?.is_empty();
        let mut next = Vec::new();
        for row in &due {
            for column in 0..3 {
                next.extend(row.try_get_by_index::<Option<i64>>(column)?);
            }
        }
        let next_due = next.into_iter().min().map(|micros| Duration::from_micros(loaded(micros)));
        Ok(Claims { runs, at: instant(now), next_due, held_back })
    }

    /// Leases runs; returns the time of the leases.
    async fn take(&self, worker: &str, appetite: Appetite) -> Result<(i64, Vec<Claim>), DbErr> {
        let Appetite { most, ending, per_project, own_share, lease } = appetite;
        let tx = self.db.begin().await?;
        let clock = self.all(&tx, self.turns().alone(), vec![]).await?;
        let now = clock.first().map(|row| row.try_get_by_index::<i64>(0)).transpose()?.unwrap_or_default();
        let share = |of: Option<usize>| Value::from(of.map_or(i64::MAX, |share| stored(share as u64)));
        let values = vec![now.into(), share(per_project), worker.into(), micros(lease).into(), share(own_share)];
        let rows = self.all(&tx, self.turns().claim(most, ending), values).await?;
        tx.commit().await?;
        let claim = |row: &QueryResult| {
            let run = RunId::from(row.try_get_by_index::<Uuid>(0)?);
            Ok(Claim { run, fence: loaded(row.try_get_by_index(1)?) })
        };
        Ok((now, rows.iter().map(claim).collect::<Result<_, DbErr>>()?))
    }

    async fn change(&self, sql: String, values: Vec<Value>) -> Result<bool, DbErr> {
        let tx = self.db.begin().await?;
        let changed = self.all(&tx, sql, values).await?;
        tx.commit().await?;
        Ok(!changed.is_empty())
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Runs the work in a task of its own: a worker handles many runs at once, and one that is not polled must never hold
/// the connection that all others wait for.
async fn aside<T: Send + 'static>(
    doing: &'static str,
    work: impl Future<Output = Result<T, DbErr>> + Send + 'static,
) -> Result<T, PortError> {
    let done = tokio::spawn(work).await.map_err(|error| PortError::transient(PORT.0, doing, error))?;
    done.map_err(PORT.failed(doing))
}

#[async_trait]
impl RunQueue for SqlRunQueue {
    async fn claim(&self, worker: &str, appetite: Appetite) -> Result<Claims, PortError> {
        let (queue, worker) = (self.clone(), worker.to_owned());
        aside("claiming runs", async move { queue.look(&worker, appetite).await }).await
    }

    async fn renew(&self, worker: &str, claim: Claim, lease: Duration) -> Result<bool, PortError> {
        let queue = self.clone();
        let values =
            vec![Uuid::from(claim.run).into(), stored(claim.fence).into(), worker.into(), micros(lease).into()];
        aside("renewing a lease", async move { queue.change(queue.turns().renew(), values).await }).await
    }

    async fn release(&self, worker: &str, claim: Claim) -> Result<(), PortError> {
        let sql = "DELETE FROM run_leases WHERE run_id = $1 AND owner = $2 AND fence = $3 RETURNING fence".to_owned();
        let values = vec![Uuid::from(claim.run).into(), worker.into(), stored(claim.fence).into()];
        let queue = self.clone();
        aside("giving a lease back", async move { queue.change(sql, values).await.map(|_| ()) }).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use devskyy_application::runs::{Appetite, RunQueue as _};
    use sea_orm::{ConnectionTrait, Statement, Value};

    use super::{SqlRunQueue, Turns};
    use crate::sql::{
        Database,
        tests::{effort, on_both_engines, postgres},
    };

    /// Three active projects and a suspended one.
    const PROJECTS: &str = "INSERT INTO projects (id, name, slug, status, created_at, version, position) \
         VALUES ({0}, 'a', 'a', 'active', 1, 1, 0), ({1}, 'b', 'b', 'active', 1, 1, 1), \
         ({2}, 'c', 'c', 'active', 1, 1, 2), ({3}, 'd', 'd', 'suspended', 1, 1, 3)";
    const RUNS: &str = "WITH RECURSIVE n(n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM n WHERE n < {upto}) \
         INSERT INTO runs (id, project_id, agent_id, agent_version, status, waiting_for, priority, requested_by, deadline, \
         created_at, fence, ready_at, version, position) \
         SELECT {fresh}, p.id, p.id, 1, 'queued', '[]', n % 3, 'user:ada', 90000000, n, 0, n, 1, n \
         FROM n JOIN projects p ON p.position = n % 4";

    async fn fill(db: &Database, sql: &str, from: u32, upto: u32) {
        let (fresh, blob) = if db.of_one_process() { ("randomblob(16)", "x") } else { ("gen_random_uuid()", "") };
        let mut sql = sql.replace("{from}", &from.to_string()).replace("{upto}", &upto.to_string());
        for n in 0..4 {
            sql = sql.replace(&format!("{{{n}}}"), &format!("{blob}'{n:032}'"));
        }
        db.writer.execute_unprepared(&sql.replace("{fresh}", fresh)).await.expect("rows");
        db.writer.execute_unprepared("ANALYZE").await.expect("statistics");
    }

    async fn cost(db: &Database, leased: u64) -> u64 {
        let turns = Turns(db.backend());
        let (now, share, worker, lease): (Value, Value, Value, Value) =
            (30_000i64.into(), 4i64.into(), "ada".into(), 60i64.into());
        let asked = [
            (turns.claim(8, 2), vec![now.clone(), share.clone(), worker, lease, share]),
            (Turns::next_due(), vec![now.clone()]),
            (turns.left_over(), vec![now]),
        ];
        let mut cost = 0;
        for (sql, values) in asked {
            cost += effort(db, Statement::from_sql_and_values(db.backend(), sql, values)).await;
        }
        let given_back = db.writer.execute_unprepared("DELETE FROM run_leases").await.expect("leases");
        assert_eq!(given_back.rows_affected(), leased);
        cost
    }

    on_both_engines!(a_look_at_a_long_queue_costs_what_one_at_a_short_one_does);

    async fn a_look_at_a_long_queue_costs_what_one_at_a_short_one_does(db: &Database) {
        fill(db, PROJECTS, 0, 0).await;
        fill(db, RUNS, 1, 1_000).await;
        let short = cost(db, 8).await;
        fill(db, RUNS, 1_001, 20_000).await;
        let long = cost(db, 8).await;
        assert!(long <= short + short / 2, "{short} became {long}");
    }

    on_both_engines!(a_look_costs_the_same_however_much_is_overdue);

    async fn a_look_costs_the_same_however_much_is_overdue(db: &Database) {
        let overdue = RUNS.replace("90000000", "n");
        fill(db, PROJECTS, 0, 0).await;
        fill(db, &overdue, 1, 1_000).await;
        let short = cost(db, 10).await;
        fill(db, &overdue, 1_001, 20_000).await;
        let long = cost(db, 10).await;
        assert!(long <= short + short / 2, "{short} became {long}");
    }

    on_both_engines!(a_look_costs_the_same_however_much_is_to_stop);

    async fn a_look_costs_the_same_however_much_is_to_stop(db: &Database) {
        let stopping = RUNS.replace("'queued'", "'cancelling'");
        fill(db, PROJECTS, 0, 0).await;
        fill(db, &stopping, 1, 1_000).await;
        let short = cost(db, 10).await;
        fill(db, &stopping, 1_001, 20_000).await;
        let long = cost(db, 10).await;
        assert!(long <= short + short / 2, "{short} became {long}");
    }

    /// Claims like a worker, which looks again after a transient error.
    async fn claimed(db: &Database) -> usize {
        let (queue, appetite) = (SqlRunQueue::new(db.clone()), HUNGRY);
        loop {
            match queue.claim("ada", appetite).await {
                Ok(claims) => return claims.runs.len(),
                Err(error) => assert!(error.retryable, "{error:?}"),
            }
        }
    }

    const HUNGRY: Appetite =
        Appetite { most: 8, ending: 2, per_project: None, own_share: None, lease: Duration::from_secs(60) };
    /// Twice the three seconds after which the server ends an idle transaction, and twice that.
    const BOUND: Duration = Duration::from_secs(12);

    #[tokio::test]
    #[ignore = "needs PostgreSQL"]
    async fn a_worker_that_stops_amid_a_look_holds_the_others_up_for_seconds() {
        let db = postgres().await;
        fill(&db, PROJECTS, 0, 0).await;
        fill(&db, RUNS, 1, 100).await;
        let stopped = db.begin().await.expect("a transaction");
        stopped.query_all_raw(Statement::from_string(db.backend(), Turns(db.backend()).alone())).await.expect("a turn");
        let claims = tokio::time::timeout(BOUND, claimed(&db)).await;
        assert_eq!(claims.ok(), Some(10));
    }
}
