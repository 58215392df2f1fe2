//! A log that loses its end under its readers: by a restored backup, or a failover to a copy that lags.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::{
    error::Error,
    es::{EventFilter, EventStore, Reaction, Reader, RecordedEvent, Rewindable as _, Stopped, Subscription},
};
use devskyy_infrastructure::{
    es::{SqlCheckpoints, SqlEventStore, resume_after},
    sql::Database,
    system::SystemClock,
};
use devskyy_testkit::{
    contracts::event_store::{Request, lamp, text_of},
    databases::{Own, server},
    fakes::SequentialIds,
};
use sea_orm::{ConnectionTrait, DatabaseBackend};
use tokio::time::timeout;

use crate::databases::{Fresh, on_both_engines, postgres, sqlite};

/// Longer than a notification takes to arrive, and shorter than the pause between two looks.
const SOON: Duration = Duration::from_secs(5);

async fn started(db: &Database) -> SqlEventStore {
    SqlEventStore::start_shared(db.clone(), Arc::new(SystemClock), Vec::new()).await.unwrap()
}

/// Adds events, each of a stream of its own.
async fn grow(store: &SqlEventStore, streams: std::ops::Range<u64>, text: &str) {
    for n in streams {
        Request::to(lamp(n), &[text]).ask(store).await.unwrap();
    }
}

/// Removes everything after a position from the log, as if it had never been recorded.
async fn cut(db: &Database, after: u64) {
    let (before, behind) = match db.backend() {
        DatabaseBackend::Postgres => {
            ("ALTER TABLE es_events DISABLE TRIGGER USER", "ALTER TABLE es_events ENABLE TRIGGER USER".to_owned())
        }
        _ => (
            "DROP TRIGGER es_events_are_not_deleted",
            "CREATE TRIGGER es_events_are_not_deleted BEFORE DELETE ON es_events BEGIN \
             SELECT RAISE(ABORT, 'events are final'); END"
                .to_owned(),
        ),
    };
    let cut = format!(
        "{before}; DELETE FROM es_events WHERE position > {after}; DELETE FROM es_streams WHERE stream_no > {after}; {behind}"
    );
    db.writer.execute_unprepared(&cut).await.unwrap();
}

/// Rewinds the checkpoints with the log, as in a restore of the whole database.
async fn checkpoints_go_back(db: &Database, position: u64) {
    let back = format!(
        "UPDATE es_subscriptions SET position = {position}, \
         hash = (SELECT substr(e.hash, 1, 8) FROM es_events e WHERE e.position = {position})"
    );
    db.writer.execute_unprepared(&back).await.unwrap();
}

/// Records what it receives.
#[derive(Default)]
struct Noting(Mutex<Vec<String>>);

impl Noting {
    fn seen(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    async fn has_seen(&self, events: usize) {
        while self.seen().len() < events {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[async_trait]
impl Reaction for Noting {
    fn reader(&self) -> Reader {
        Reader { name: "noting", categories: &["lamp"] }
    }

    async fn handle(&self, event: &RecordedEvent) -> Result<(), Error> {
        self.0.lock().unwrap().push(format!("{}{}", event.position, text_of(event)));
        Ok(())
    }
}

fn subscription(db: &Database, store: &Arc<SqlEventStore>) -> Subscription {
    let checkpoints = Arc::new(SqlCheckpoints::new(db.clone()));
    Subscription::new(store.clone(), checkpoints, Arc::new(SystemClock), SequentialIds::nth(1))
}

/// Runs a subscription until it has received so many events.
async fn heard(db: &Database, store: &Arc<SqlEventStore>, noting: &Noting, events: usize) -> Result<(), Stopped> {
    let run = subscription(db, store);
    let ended = run.run(noting, noting.has_seen(events));
    timeout(Duration::from_secs(30), ended).await.expect("what was recorded is heard of")
}

async fn a_read_ends_where_a_log_does_that_was_put_back(fresh: Fresh) {
    let store = started(&fresh.db).await;
    grow(&store, 0..10, "a").await;
    cut(&fresh.db, 5).await;
    let page = store.read_all(3, 4, &EventFilter::default()).await.unwrap();
    assert_eq!((page.events.len(), page.scanned_to, store.rewinds()), (2, 5, 1));
}

/// While a subscription runs that has processed all of it, the log is rewound and grows beyond its old end.
async fn what_is_recorded_after_a_log_was_put_back_is_heard_of(fresh: Fresh) {
    let (store, noting) = (Arc::new(started(&fresh.db).await), Noting::default());
    grow(&store, 0..10, "a").await;
    let others = async {
        noting.has_seen(10).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        cut(&fresh.db, 5).await;
        checkpoints_go_back(&fresh.db, 5).await;
        // On PostgreSQL another process continues.
        let other = match fresh.db.backend() {
            DatabaseBackend::Postgres => Arc::new(started(&fresh.db).await),
            _ => store.clone(),
        };
        grow(&other, 5..12, "b").await;
        noting.has_seen(17).await;
    };
    let run = subscription(&fresh.db, &store);
    let ended = timeout(Duration::from_secs(40), run.run(&noting, others)).await;
    let wanted: Vec<_> = (1..=10).map(|n| format!("{n}a")).chain((6..=12).map(|n| format!("{n}b"))).collect();
    assert!(matches!(ended, Ok(Ok(()))) && noting.seen() == wanted, "{ended:?} {:?}", noting.seen());
}

/// The log is rewound while no process runs, and the checkpoints are not.
async fn led_astray(fresh: &Fresh) -> (Arc<SqlEventStore>, Noting, Result<(), Stopped>) {
    let (store, noting) = (Arc::new(started(&fresh.db).await), Noting::default());
    grow(&store, 0..10, "a").await;
    heard(&fresh.db, &store, &noting, 10).await.unwrap();
    settled(&fresh.db).await;
    store.stop().await;
    cut(&fresh.db, 5).await;
    let store = Arc::new(started(&fresh.db).await);
    grow(&store, 5..12, "b").await;
    let noting = Noting::default();
    let stopped = heard(&fresh.db, &store, &noting, 1).await;
    (store, noting, stopped)
}

/// Sets the checkpoint to ten, because the subscription was stopped before it could move it.
async fn settled(db: &Database) {
    checkpoints_go_back(db, 10).await;
}

async fn a_line_behind_an_event_that_is_no_more_stops(fresh: Fresh) {
    let (_, noting, stopped) = led_astray(&fresh).await;
    assert!(matches!(&stopped, Err(Stopped { position: 11, .. })) && noting.seen().is_empty(), "{stopped:?}");
}

async fn a_line_goes_on_where_an_operator_says(fresh: Fresh) {
    let (store, noting, _) = led_astray(&fresh).await;
    assert!(resume_after(&fresh.db, "noting", 5).await.unwrap());
    heard(&fresh.db, &store, &noting, 7).await.unwrap();
    assert_eq!(noting.seen(), (6..=12).map(|n| format!("{n}b")).collect::<Vec<_>>());
}

on_both_engines!(
    a_read_ends_where_a_log_does_that_was_put_back,
    what_is_recorded_after_a_log_was_put_back_is_heard_of,
    a_line_behind_an_event_that_is_no_more_stops,
    a_line_goes_on_where_an_operator_says,
);

/// A backup of the whole file has the checkpoints of its log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_restored_is_gone_on_with() {
    let fresh = sqlite().await;
    let file = fresh.url.trim_start_matches("sqlite://").to_owned();
    let (store, noting) = (Arc::new(started(&fresh.db).await), Noting::default());
    grow(&store, 0..5, "a").await;
    heard(&fresh.db, &store, &noting, 5).await.unwrap();
    checkpoints_go_back(&fresh.db, 5).await;
    fresh.db.writer.execute_unprepared(&format!("VACUUM INTO '{file}.backup'")).await.unwrap();
    grow(&store, 5..10, "a").await;
    heard(&fresh.db, &store, &noting, 10).await.unwrap();
    store.stop().await;
    fresh.db.close().await;
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{file}{suffix}"));
    }
    std::fs::rename(format!("{file}.backup"), &file).unwrap();
    let db = Database::connect(&fresh.url, 4).await.unwrap();
    let (store, noting) = (Arc::new(started(&db).await), Noting::default());
    grow(&store, 5..8, "b").await;
    heard(&db, &store, &noting, 3).await.unwrap();
    assert_eq!(noting.seen(), ["6b", "7b", "8b"]);
}

/// Sends a notification on the log's own channel.
async fn notify(db: &Database, payload: &str) {
    let notify = format!(
        "SELECT pg_notify('devskyy_es_' || oid, '{payload}') FROM pg_namespace WHERE nspname = current_schema(); \
         NOTIFY devskyy_es, '{payload}'"
    );
    db.writer.execute_unprepared(&notify).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_notification_that_lies_leads_nobody_beyond_the_end_of_the_log() {
    let fresh = postgres().await;
    let store = started(&fresh.db).await;
    grow(&store, 0..3, "a").await;
    for lie in ["9999999999", "-1", "a great many"] {
        notify(&fresh.db, lie).await;
    }
    let misled = timeout(Duration::from_millis(500), store.beyond(3, store.rewinds())).await.ok();
    let scanned_to = store.read_all(0, 100, &EventFilter::categories(&["switch"])).await.unwrap().scanned_to;
    assert_eq!((misled, scanned_to), (None, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn what_another_process_writes_is_heard_of_at_once_also_after_a_lie() {
    let fresh = postgres().await;
    let (store, other) = (started(&fresh.db).await, started(&fresh.db).await);
    notify(&fresh.db, "9999999999").await;
    grow(&other, 0..3, "a").await;
    assert_eq!(timeout(SOON, store.beyond(2, store.rewinds())).await, Ok(3));
}

/// Two installations in two schemas of one database are independent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_log_in_another_schema_is_another_log() {
    let fresh = postgres().await;
    fresh.db.writer.execute_unprepared("CREATE SCHEMA one; CREATE SCHEMA two").await.unwrap();
    let within = async |schema: &str| {
        let db = Database::connect(&format!("{}?options=-csearch_path%3D{schema}", fresh.url), 4).await.unwrap();
        db.migrate().await.unwrap();
        db
    };
    let (one, two) = (started(&within("one").await).await, started(&within("two").await).await);
    grow(&one, 0..7, "a").await;
    grow(&two, 0..1, "b").await;
    let misled = timeout(Duration::from_millis(500), two.beyond(1, two.rewinds())).await.ok();
    assert_eq!((misled, two.head().await.unwrap(), one.head().await.unwrap()), (None, 1, 7));
}

/// Copies a database that is no longer in use, as a dump that is restored under another name.
async fn restored(url: &str) -> Database {
    let (own, name) = (Own::beside(url, "test"), url.rsplit_once('/').unwrap().1.to_owned());
    let admin = Database::connect(&server().unwrap(), 3).await.unwrap();
    let copy = format!("CREATE DATABASE {} TEMPLATE {name}", own.name);
    // Old connections may still be closing.
    let mut tries = 0;
    while let Err(error) = admin.writer.execute_unprepared(&copy).await {
        tries += 1;
        assert!(tries < 40, "{error}");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    Database::connect(&own.url, 4).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_database_that_was_restored_elsewhere_is_gone_on_with() {
    let fresh = postgres().await;
    let (store, noting) = (Arc::new(started(&fresh.db).await), Noting::default());
    grow(&store, 0..5, "a").await;
    heard(&fresh.db, &store, &noting, 5).await.unwrap();
    checkpoints_go_back(&fresh.db, 5).await;
    store.stop().await;
    drop(store);
    fresh.db.close().await;
    let db = restored(&fresh.url).await;
    let (store, noting) = (Arc::new(started(&db).await), Noting::default());
    grow(&store, 5..8, "b").await;
    heard(&db, &store, &noting, 3).await.unwrap();
    assert_eq!(noting.seen(), ["6b", "7b", "8b"]);
}
