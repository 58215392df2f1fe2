//! Leases of a killed process on a database that belongs to a single process.

use std::time::Duration;

use devskyy_application::es::{Checkpoints as _, Lease};
use devskyy_infrastructure::{
    es::SqlCheckpoints,
    sql::{Database, free_leases},
};
use devskyy_testkit::fakes::SequentialIds;
use sea_orm::{ConnectionTrait as _, DatabaseBackend, Statement};

use crate::databases::sqlite;

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_subscription_that_is_freed_is_taken_at_once_under_a_higher_fence() {
    let fresh = sqlite().await;
    let checkpoints = SqlCheckpoints::new(fresh.db.clone());
    let killed = checkpoints.claim("a", SequentialIds::nth(1), HOUR).await.unwrap().unwrap();
    free_leases(&fresh.db).await.unwrap();
    let next = checkpoints.claim("a", SequentialIds::nth(2), HOUR).await.unwrap();
    assert_eq!(next, Some(Lease { fence: killed.fence + 1, ..killed }));
}

#[tokio::test]
async fn whoever_held_a_freed_subscription_advances_it_no_longer() {
    let fresh = sqlite().await;
    let checkpoints = SqlCheckpoints::new(fresh.db.clone());
    let killed = checkpoints.claim("a", SequentialIds::nth(1), HOUR).await.unwrap().unwrap();
    free_leases(&fresh.db).await.unwrap();
    assert!(!checkpoints.advance(&killed, 7, &[0; 32]).await.unwrap());
}

async fn held(db: &Database) -> i64 {
    let sql = "SELECT COUNT(*) FROM run_leases";
    let row = db.reader.query_one_raw(Statement::from_string(DatabaseBackend::Sqlite, sql)).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn no_run_is_held_any_more() {
    let fresh = sqlite().await;
    let lease =
        "INSERT INTO run_leases (run_id, owner, fence, lease_until) VALUES (x'11', 'killed', 3, 4102444800000000)";
    fresh.db.writer.execute_unprepared(lease).await.unwrap();
    free_leases(&fresh.db).await.unwrap();
    assert_eq!(held(&fresh.db).await, 0);
}
