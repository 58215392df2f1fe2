//! What SQLite is asked to survive.

use devskyy_infrastructure::sql::{Database, Durability};
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};

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
