//! The wire over PostgreSQL keeps the contract, and subscribers learn of a broken connection.

use std::{sync::Arc, time::Duration};

use devskyy_application::runs::LiveWire;
use devskyy_infrastructure::runs::PostgresLiveWire;
use devskyy_testkit::contracts::live::WireUnderTest;
use sea_orm::ConnectionTrait;

use crate::databases::{postgres, sqlite};

async fn wire() -> WireUnderTest {
    let fresh = postgres().await;
    WireUnderTest { wire: Arc::new(PostgresLiveWire::of(fresh.db.clone()).unwrap()), keep: Box::new(fresh) }
}

devskyy_testkit::live_contract!(
    #[ignore = "needs PostgreSQL"]
    wire
);

#[tokio::test]
async fn there_is_no_wire_where_there_is_one_process() {
    assert!(PostgresLiveWire::of(sqlite().await.db).is_none());
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn whoever_is_cut_off_learns_of_it() {
    let fresh = postgres().await;
    let mut line = PostgresLiveWire::of(fresh.db.clone()).unwrap().join().await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name = 'devskyy live'";
    fresh.db.writer.execute_unprepared(cut).await.unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(5), line.hear()).await;
    assert!(matches!(heard, Ok(Err(_))), "{heard:?}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_line_costs_one_connection() {
    let fresh = postgres().await;
    let count = "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND application_name = 'devskyy live'";
    let connections = async || {
        let statement = sea_orm::Statement::from_string(fresh.db.backend(), count);
        let row = fresh.db.reader.query_one_raw(statement).await.unwrap().unwrap();
        row.try_get_by_index::<i64>(0).unwrap()
    };
    let before = connections().await;
    let mut line = PostgresLiveWire::of(fresh.db.clone()).unwrap().join().await.unwrap();
    line.say(vec![]).await.unwrap();
    assert_eq!([before, connections().await], [0, 1]);
}
