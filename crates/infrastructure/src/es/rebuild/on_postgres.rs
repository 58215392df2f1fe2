//! On PostgreSQL the new tables are built under the same names in a schema of their own, and then replace the old ones.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_application::{error::PortError, es::Position};
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr, QueryResult, Statement, TransactionTrait, TryGetable,
};
use tokio::time::{Instant, sleep};

use super::{
    super::{batch::lock, projection::Projection, replay::unlimited},
    derivation::{Aside, Derivation},
    failed, tables,
};
use crate::sql::{Database, is_transient};

/// Key of the advisory lock that allows only one rebuild of a database at a time.
const REBUILD_LOCK: i64 = 0x6465_7673_6b79_7902;
/// One for the switch-over, one for the task that applies events, one for the task that reads them.
const CONNECTIONS: u32 = 3;
/// How long the switch-over first waits for readers of the tables, and at most, while appends wait: beyond a second the
/// server cancels an autovacuum that is in the way.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(1_200));
/// The pause before the next attempt, as a multiple of the wait, in which appends proceed.
const PAUSE: u32 = 4;
/// How long the switch-over is attempted.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) async fn rebuild(
    db: &Database,
    projections: &[Arc<dyn Projection>],
    progress: impl FnMut(Position, Position) + Send,
) -> Result<Position, PortError> {
    let patient = db.patient(CONNECTIONS).await.map_err(failed)?;
    let rebuilt = beside(&patient, projections, progress).await;
    patient.close().await;
    rebuilt
}

async fn beside(
    db: &Database,
    projections: &[Arc<dyn Projection>],
    progress: impl FnMut(Position, Position) + Send,
) -> Result<Position, PortError> {
    // It stays open to the end: if it is lost, so are the right to switch over and the change itself.
    let turn = db.begin().await.map_err(failed)?;
    take_turn(&turn).await?;
    let aside = Staging::make(db, tables(projections)).await.map_err(failed)?;
    let changed = match Derivation::of(db, projections, progress).await {
        Ok(derivation) => aside.change_over(&turn, derivation).await,
        Err(error) => Err(error),
    };
    if changed.is_err() {
        // The open switch-over would block the dropping of its own tables, and everything else. The error to return is
        // the earlier one.
        let _ = turn.rollback().await;
        let _ = db.writer.execute_unprepared(&format!("DROP SCHEMA IF EXISTS {} CASCADE", aside.schema)).await;
        return changed;
    }
    turn.commit().await.map_err(failed)?;
    changed
}

async fn take_turn(turn: &DatabaseTransaction) -> Result<(), PortError> {
    unlimited(turn).await.map_err(failed)?;
    let taken = format!("SELECT pg_try_advisory_xact_lock({REBUILD_LOCK})");
    match found(turn, &taken).await.map_err(failed)?.first() {
        Some(true) => Ok(()),
        _ => Err(PortError::transient("projections", "rebuilding", "another rebuild of this database is under way")),
    }
}

/// The new tables until they are complete.
struct Staging<'a> {
    db: &'a Database,
    live: String,
    schema: String,
    tables: Vec<&'static str>,
    /// The shape of the live tables when the new ones were created.
    shape: String,
}

#[async_trait]
impl Aside for Staging<'_> {
    /// Without the new tables, their names resolve to nothing here.
    async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let tx = self.db.begin().await?;
        self.mean_new(&tx).await?;
        // After a server crash everything is rebuilt, so nothing here has to reach the disk before the switch-over.
        tx.execute_unprepared("SET LOCAL synchronous_commit = off").await?;
        Ok(tx)
    }
}

impl<'a> Staging<'a> {
    /// Creates the tables in a schema with an unused name, and drops those of unfinished rebuilds.
    async fn make(db: &'a Database, tables: Vec<&'static str>) -> Result<Self, DbErr> {
        let tx = db.begin().await?;
        // Exactly the form of [`NAMES`], which PostgreSQL cuts at 63 bytes: a schema of another origin may share the prefix.
        let left = "SELECT quote_ident(nspname) FROM pg_namespace \
             WHERE starts_with(nspname, current_schema() || '_rebuild_') \
             AND substr(nspname, length(current_schema() || '_rebuild_') + 1) \
                 ~ CASE octet_length(nspname) WHEN 63 THEN '^[0-9]{1,20}$' ELSE '^[0-9]{20}$' END";
        for schema in found::<String>(&tx, left).await? {
            tx.execute_unprepared(&format!("DROP SCHEMA {schema} CASCADE")).await?;
        }
        let mut names = found::<String>(&tx, NAMES).await?.into_iter();
        let (live, schema) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
        tx.execute_unprepared(&format!("CREATE SCHEMA {schema}")).await?;
        let mut aside = Self { db, live, schema, tables, shape: String::new() };
        aside.shape = aside.shape(&tx).await?;
        for table in &aside.tables {
            aside.imitate(&tx, table).await?;
        }
        tx.commit().await?;
        Ok(aside)
    }

    /// Creates a table like the live one, with the same names of keys and indexes, settings and permissions.
    async fn imitate(&self, tx: &DatabaseTransaction, table: &str) -> Result<(), DbErr> {
        let (old, new) = (format!("{}.{table}", self.live), format!("{}.{table}", self.schema));
        tx.execute_unprepared(&format!("CREATE TABLE {new} (LIKE {old} INCLUDING ALL EXCLUDING INDEXES)")).await?;
        for command in found::<String>(tx, &LIKENESS.replace("{old}", &old).replace("{new}", &new)).await? {
            tx.execute_unprepared(&command).await?;
        }
        Ok(())
    }

    async fn shape(&self, tx: &DatabaseTransaction) -> Result<String, DbErr> {
        let tables: Vec<_> = self.living().map(|table| format!("'{table}'::regclass")).collect();
        let shape = found::<String>(tx, &SHAPE.replace("{tables}", &tables.join(", "))).await?;
        Ok(shape.into_iter().next().unwrap_or_default())
    }

    fn living(&self) -> impl Iterator<Item = String> {
        self.tables.iter().map(|table| format!("{}.{table}", self.live))
    }

    async fn mean_new(&self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        tx.execute_unprepared(&format!("SET LOCAL search_path = {}", self.schema)).await.map(|_| ())
    }

    /// Fills the new tables and replaces the old ones with them once those are not being read.
    async fn change_over(
        &self,
        turn: &DatabaseTransaction,
        mut derivation: Derivation<'_, impl FnMut(Position, Position) + Send>,
    ) -> Result<Position, PortError> {
        derivation.approach(self).await?;
        self.know().await.map_err(failed)?;
        let until = Instant::now() + PATIENCE;
        let mut wait = WAITS.0;
        loop {
            derivation.approach(self).await?;
            let attempt = turn.begin().await.map_err(failed)?;
            let asked = Instant::now();
            match self.take(&attempt, wait).await {
                Ok(()) => {
                    self.refuse_changed(&attempt).await?;
                    self.mean_new(&attempt).await.map_err(failed)?;
                    let newest = derivation.conclude(&attempt).await?;
                    self.move_over(&attempt).await.map_err(failed)?;
                    attempt.commit().await.map_err(failed)?;
                    tracing::debug!(waited = ?asked.elapsed(), "appends waited for the change-over");
                    return Ok(newest);
                }
                Err(error) if is_transient(&error) && Instant::now() < until => {
                    attempt.rollback().await.map_err(failed)?;
                    tracing::debug!(%error, "the tables are read, trying again");
                }
                Err(error) => return Err(failed(error)),
            }
            sleep(wait * PAUSE).await;
            wait = (wait * 2).min(WAITS.1);
        }
    }

    /// Updates the planner's statistics of the new tables, which autovacuum would do only minutes later.
    async fn know(&self) -> Result<(), DbErr> {
        for table in &self.tables {
            self.db.writer.execute_unprepared(&format!("ANALYZE {}.{table}", self.schema)).await?;
        }
        Ok(())
    }

    /// Locks the log's mutex and the live tables, in the same order as appends do.
    async fn take(&self, attempt: &DatabaseTransaction, wait: Duration) -> Result<(), DbErr> {
        attempt.execute_unprepared(&format!("SET LOCAL lock_timeout = {}", wait.as_millis())).await?;
        lock(attempt).await?;
        let living: Vec<_> = self.living().collect();
        let take = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", living.join(", "));
        attempt.execute_unprepared(&take).await.map(|_| ())
    }

    /// Fails if a migration has changed the live tables meanwhile.
    async fn refuse_changed(&self, attempt: &DatabaseTransaction) -> Result<(), PortError> {
        if self.shape(attempt).await.map_err(failed)? == self.shape {
            return Ok(());
        }
        let why = "the tables were changed meanwhile, by a migration; rebuild once more";
        Err(PortError::transient("projections", "rebuilding", why))
    }

    async fn move_over(&self, attempt: &DatabaseTransaction) -> Result<(), DbErr> {
        let (live, schema) = (&self.live, &self.schema);
        let mut changes: Vec<_> = self.living().map(|table| format!("DROP TABLE {table}")).collect();
        changes.extend(self.tables.iter().map(|table| format!("ALTER TABLE {schema}.{table} SET SCHEMA {live}")));
        changes.push(format!("DROP SCHEMA {schema}"));
        attempt.execute_unprepared(&changes.join("; ")).await.map(|_| ())
    }
}

/// The schema of the live tables, and one for the new ones that contains the current time.
const NAMES: &str = "SELECT quote_ident(current_schema()) UNION ALL SELECT quote_ident(current_schema() || '_rebuild_' \
     || to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS'))";

/// Commands that make a bare table like another: keys, indexes, settings and permissions.
const LIKENESS: &str = "SELECT CASE WHEN k.oid IS NULL \
         THEN regexp_replace(pg_get_indexdef(i.indexrelid), ' ON (ONLY )?[^ ]+ USING ', ' ON {new} USING ') \
         ELSE format('ALTER TABLE {new} ADD CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)) END \
     FROM pg_index i LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid \
     WHERE i.indrelid = '{old}'::regclass \
     UNION ALL SELECT format('ALTER TABLE {new} SET (%s)', array_to_string(c.reloptions, ', ')) \
     FROM pg_class c WHERE c.oid = '{old}'::regclass AND c.reloptions IS NOT NULL \
     UNION ALL SELECT format('GRANT %s ON {new} TO %s', p.privilege_type, \
         CASE p.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(p.grantee)) END) \
     FROM pg_class c CROSS JOIN aclexplode(c.relacl) p WHERE c.oid = '{old}'::regclass";

/// Columns and indexes of tables, as one text.
const SHAPE: &str = "SELECT COALESCE(string_agg(part, '; ' ORDER BY part), '') FROM ( \
         SELECT format('%s %s %s %s', attrelid, attname, format_type(atttypid, atttypmod), attnotnull) AS part \
         FROM pg_attribute WHERE attrelid IN ({tables}) AND attnum > 0 AND NOT attisdropped \
         UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid IN ({tables})) parts";

async fn found<T: TryGetable>(tx: &DatabaseTransaction, sql: &str) -> Result<Vec<T>, DbErr> {
    let rows: Vec<QueryResult> = tx.query_all_raw(Statement::from_string(DatabaseBackend::Postgres, sql)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
