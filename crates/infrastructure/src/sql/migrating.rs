//! Bringing the schema of a PostgreSQL up to date beside servers that go on: replicas take turns, and whoever reads a table
//! that a migration changes holds nobody else up.

use std::time::Duration;

use devskyy_migrations::{Migrator, MigratorTrait as _};
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr, Statement, TransactionTrait as _,
};
use tokio::time::{Instant, sleep};

use super::{Database, failure::lost_a_lock};

/// Key of the advisory lock under which migrations run.
const TURN: i64 = 0x6465_7673_6b79_7901;
/// Between two looks whether it is one's turn.
const LOOKS: Duration = Duration::from_millis(200);
/// How long others are first made to wait behind a migration for those who hold its tables, and how long at most: past a
/// second the server ends a vacuum of its own that is in the way.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(1_200));
/// How many times as long as they were made to wait others go on until the next attempt.
const PAUSE: u32 = 4;
/// When waiting is first told, and how often after that.
const TOLD: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));

/// Makes the migrations that have not been made. It waits without end for another process that migrates, and for whoever
/// holds a table that is to be changed, a dump perhaps; what it waits for is told.
///
/// # Errors
/// [`DbErr`] when the server cannot be reached, or a migration fails for another reason than a lock.
pub(super) async fn migrate(db: &Database) -> Result<(), DbErr> {
    // Where there is nothing to do, nobody need be waited for.
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
    // It stays open to the end: whoever loses it has lost the turn.
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

/// Makes one migration, which is one transaction. Everybody who comes to a table after a migration that waits for it waits
/// behind it; so it gives up after a moment, lets them pass, and tries again.
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

/// Waiting that is told once it takes long.
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
