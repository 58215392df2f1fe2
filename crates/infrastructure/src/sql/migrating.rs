//! Migrates the schema of PostgreSQL while servers run: replicas take turns, and a reader of a table that a migration
//! changes does not block others.

use std::time::Duration;

use devskyy_migrations::{Migrator, MigratorTrait as _};
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr, Statement, TransactionTrait as _,
};
use tokio::time::{Instant, sleep};

use super::{Database, failure::lost_a_lock};

/// Key of the advisory lock under which migrations run.
const TURN: i64 = 0x6465_7673_6b79_7901;
/// Interval of attempts to take that lock.
const LOOKS: Duration = Duration::from_millis(200);
/// How long a migration first waits for holders of its tables, and at most, while others queue behind it: beyond a
/// second the server cancels an autovacuum that is in the way.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(1_200));
/// The pause before the next attempt, as a multiple of the wait, in which others proceed.
const PAUSE: u32 = 4;
/// When waiting is first logged, and how often after that.
const TOLD: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));

/// Runs pending migrations. Waits without limit for another process that migrates, and for holders of a table to
/// change, for example a dump; both are logged.
///
/// # Errors
/// [`DbErr`] when the server cannot be reached, or a migration fails for another reason than a lock.
pub(super) async fn migrate(db: &Database) -> Result<(), DbErr> {
    // Without pending migrations there is nothing to wait for.
    if pending(&db.reader).await? == 0 {
        return Ok(());
    }
    let patient = db.patient(2).await?;
    let migrated = in_turn(&patient.writer).await;
    patient.close().await;
    migrated
}

async fn pending(db: &impl ConnectionTrait) -> Result<usize, DbErr> {
    Ok(Migrator::get_pending_migrations_read_only(db).await?.len())
}

async fn in_turn(server: &DatabaseConnection) -> Result<(), DbErr> {
    // It stays open to the end: if it is lost, so is the lock.
    let turn = server.begin().await?;
    let mut waiting = Waiting::new("another process migrates; waiting");
    while !taken(&turn).await? {
        waiting.pause(LOOKS).await;
    }
    for _ in 0..pending(server).await? {
        make_next(server).await?;
    }
    turn.commit().await
}

async fn taken(turn: &DatabaseTransaction) -> Result<bool, DbErr> {
    let take = format!("SELECT pg_try_advisory_xact_lock({TURN})");
    let row = turn.query_one_raw(Statement::from_string(DatabaseBackend::Postgres, take)).await?;
    row.map_or(Ok(false), |row| row.try_get_by_index(0))
}

/// Runs one migration, which is one transaction. While it waits for a table, later statements on that table queue
/// behind it, so it gives up after a moment, lets them pass, and retries.
async fn make_next(server: &DatabaseConnection) -> Result<(), DbErr> {
    let mut waiting = Waiting::new("waiting for a table lock: somebody reads or writes what a migration changes");
    let mut wait = WAITS.0;
    loop {
        let attempt = server.begin().await?;
        attempt.execute_unprepared(&format!("SET LOCAL lock_timeout = {}", wait.as_millis())).await?;
        let made = Migrator::up(&attempt, Some(1)).await;
        match made {
            Ok(()) => return attempt.commit().await,
            Err(error) if lost_a_lock(&error) => attempt.rollback().await?,
            Err(error) => return Err(error),
        }
        waiting.pause(wait * PAUSE).await;
        wait = (wait * 2).min(WAITS.1);
    }
}

/// A wait that is logged when it takes long.
struct Waiting {
    why: &'static str,
    since: Instant,
    told: Instant,
}

impl Waiting {
    fn new(why: &'static str) -> Self {
        let since = Instant::now();
        Self { why, since, told: since + TOLD.0 }
    }

    async fn pause(&mut self, time: Duration) {
        if Instant::now() >= self.told {
            self.told = Instant::now() + TOLD.1;
            tracing::warn!(seconds = self.since.elapsed().as_secs(), "{}", self.why);
        }
        sleep(time).await;
    }
}
