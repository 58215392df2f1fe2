//! Migrations while other sessions use the database.

use std::time::Duration;

use devskyy_infrastructure::sql::Database;
use devskyy_migrations::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, TransactionTrait as _};
use tokio::time::{sleep, timeout};

use crate::databases::{Fresh, empty_postgres, postgres};

/// Migrations before one that changes the table of model usage, which readers block.
const BEFORE: u32 = 19;
/// Key of the advisory lock that a migration holds.
const TURN: i64 = 0x6465_7673_6b79_7901;
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database that lacks some migrations.
async fn early() -> Fresh {
    let fresh = empty_postgres().await;
    Migrator::up(&fresh.db.writer, Some(BEFORE)).await.unwrap();
    fresh
}

/// A session that has read model usage and is not done, as a dump is.
async fn reading(db: &Database) -> DatabaseTransaction {
    let reading = db.begin_reading().await.unwrap();
    reading.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = 0").await.unwrap();
    reading.execute_unprepared("SELECT COUNT(*) FROM model_usage").await.unwrap();
    reading
}

fn migrating(fresh: &Fresh) -> tokio::task::JoinHandle<()> {
    let db = fresh.db.clone();
    tokio::spawn(async move { db.migrate().await.unwrap() })
}

async fn missing(db: &Database) -> usize {
    Migrator::get_pending_migrations_read_only(&db.reader).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn nobody_waits_behind_a_migration_that_waits_for_a_reader() {
    let fresh = early().await;
    let dump = reading(&fresh.db).await;
    let migrating = migrating(&fresh);
    for _ in 0..50 {
        // Statements that wait behind the migration are refused the table after three seconds.
        fresh.db.reader.execute_unprepared("SELECT COUNT(*) FROM model_usage").await.unwrap();
        sleep(Duration::from_millis(100)).await;
    }
    assert!(!migrating.is_finished());
    drop(dump);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_migration_is_made_once_its_tables_are_read_no_longer() {
    let fresh = early().await;
    let dump = reading(&fresh.db).await;
    let migrating = migrating(&fresh);
    sleep(Duration::from_secs(2)).await;
    dump.rollback().await.unwrap();
    timeout(PATIENCE, migrating).await.unwrap().unwrap();
    assert_eq!(missing(&fresh.db).await, 0);
}

/// A session that migrates and hangs.
async fn hung(db: &Database) -> DatabaseTransaction {
    let hung = db.writer.begin().await.unwrap();
    hung.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = 0").await.unwrap();
    hung.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({TURN})")).await.unwrap();
    hung
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn processes_that_migrate_take_turns() {
    let fresh = early().await;
    let other = hung(&fresh.db).await;
    let migrating = migrating(&fresh);
    sleep(Duration::from_secs(1)).await;
    let meanwhile = missing(&fresh.db).await;
    other.rollback().await.unwrap();
    timeout(PATIENCE, migrating).await.unwrap().unwrap();
    assert_eq!((meanwhile > 0, missing(&fresh.db).await), (true, 0));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn whoever_has_nothing_to_migrate_waits_for_nobody() {
    let fresh = postgres().await;
    let _other = hung(&fresh.db).await;
    timeout(PATIENCE, fresh.db.migrate()).await.unwrap().unwrap();
}
