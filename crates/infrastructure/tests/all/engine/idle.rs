//! The database statements of an idle platform.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use devskyy_testkit::fakes::ScriptedModels;
use sea_orm::DatabaseConnection;

use super::rig::Rig;
use crate::databases::{Fresh, postgres, sqlite};

/// Long enough for what is done once after a start.
const SETTLED: Duration = Duration::from_secs(3);

/// Number of statements that a worker and its reactions send in a time in which nothing happens.
async fn statements(mut fresh: Fresh, time: Duration) -> usize {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = |connection: &mut DatabaseConnection| {
        let counted = count.clone();
        connection.set_metric_callback(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
        });
    };
    counting(&mut fresh.db.writer);
    counting(&mut fresh.db.reader);
    let rig = Rig::over(fresh, Arc::new(ScriptedModels::taking([]))).await;
    let _process = rig.process(&rig.outside, 1);
    tokio::time::sleep(SETTLED).await;
    let before = count.load(Ordering::SeqCst);
    assert!(before > 0, "statements are counted");
    tokio::time::sleep(time).await;
    count.load(Ordering::SeqCst) - before
}

#[tokio::test]
async fn an_idle_worker_asks_nothing_of_sqlite() {
    assert_eq!(statements(sqlite().await, Duration::from_secs(7)).await, 0);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn an_idle_worker_asks_postgres_less_than_once_a_second() {
    let asked = statements(postgres().await, Duration::from_secs(20)).await;
    assert!((1..20).contains(&asked), "{asked} statements in 20 s");
}
