//! Requests that take longer than PostgreSQL's timeouts allow.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_application::es::{AppendError, EventStore, RecordedEvent};
use devskyy_infrastructure::{
    es::{Projection, ProjectionError, SqlEventStore},
    system::SystemClock,
};
use devskyy_testkit::contracts::event_store::{Request, lamp};
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use crate::databases::postgres;

/// Takes longer over events that contain `tedious` than a statement may take.
struct Thorough;

#[async_trait]
impl Projection for Thorough {
    fn name(&self) -> &'static str {
        "thorough"
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn categories(&self) -> &'static [&'static str] {
        &[]
    }

    async fn apply(&self, tx: &DatabaseTransaction, events: &[&RecordedEvent]) -> Result<(), ProjectionError> {
        if events.iter().any(|event| event.data.contains("tedious")) {
            tx.execute_unprepared("SELECT pg_sleep(7)").await?;
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_request_that_takes_too_long_hurts_nobody_else() {
    let fresh = postgres().await;
    let store = SqlEventStore::start(fresh.db.clone(), Arc::new(SystemClock), vec![Arc::new(Thorough)]).await.unwrap();
    let store = Arc::new(store);
    // They arrive together while another session holds the mutex.
    let held = fresh.db.begin().await.unwrap();
    held.execute_unprepared("SELECT 1 FROM es_head FOR UPDATE").await.unwrap();
    let asked = (0..8).map(|n| {
        let store = store.clone();
        let note = if n == 3 { "tedious" } else { "quick" };
        async move { Request::to(lamp(n), &[note]).ask(&*store).await }
    });
    let asked = tokio::spawn(join_all(asked.collect::<Vec<_>>()));
    tokio::time::sleep(Duration::from_millis(200)).await;
    held.rollback().await.unwrap();
    let answers = asked.await.unwrap();
    let refused: Vec<_> = answers.iter().enumerate().filter(|(_, answer)| answer.is_err()).map(|(n, _)| n).collect();
    let passing = matches!(&answers[3], Err(AppendError::Port(error)) if error.retryable);
    assert!((refused, passing, store.head().await.unwrap()) == (vec![3], true, 7), "{answers:?}");
}
