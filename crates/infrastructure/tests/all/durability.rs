//! What commits on SQLite survive.

use chrono::{DateTime, TimeDelta};
use devskyy_application::identity::{Attempts, Charge, Charged};
use devskyy_infrastructure::{
    identity::SqlAttempts,
    sql::{Database, Durability},
};
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};

use crate::databases;

/// `PRAGMA synchronous` of the connection that writes: 2 is `FULL`, 1 is `NORMAL`.
async fn synchronous(durability: Option<Durability>) -> i64 {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/devskyy.db", directory.path().display());
    let db = match durability {
        Some(durability) => Database::connect_with(&url, 2, durability).await.unwrap(),
        None => Database::connect(&url, 2).await.unwrap(),
    };
    let ask = Statement::from_string(DatabaseBackend::Sqlite, "PRAGMA synchronous");
    db.writer.query_one_raw(ask).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn a_power_cut_is_survived_unless_less_is_asked_for() {
    assert_eq!((synchronous(None).await, synchronous(Some(Durability::Full)).await), (2, 2));
}

#[tokio::test]
async fn less_is_survived_where_less_is_asked_for() {
    assert_eq!(synchronous(Some(Durability::Relaxed)).await, 1);
}

#[tokio::test]
async fn attempts_to_sign_in_stay_counted_over_a_restart() {
    let fresh = databases::sqlite().await;
    let charge = Charge { allowance: [7; 32], most: 1, window: TimeDelta::minutes(15) };
    let before = SqlAttempts::new(fresh.db.clone());
    before.charge(&[charge], DateTime::UNIX_EPOCH).await.unwrap();
    fresh.db.close().await;
    let again = SqlAttempts::new(Database::connect(&fresh.url, 2).await.unwrap());
    let later = again.charge(&[charge], DateTime::UNIX_EPOCH + TimeDelta::minutes(1)).await.unwrap();
    assert_eq!(later, Charged::Exhausted { until: DateTime::UNIX_EPOCH + TimeDelta::minutes(15) });
}
