//! The log while databases and projections fail.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{AppendError, EventFilter, EventStore, Precondition, RecordedEvent},
};
use devskyy_infrastructure::{
    es::{Projection, ProjectionError, SqlEventStore, verify},
    sql::Database,
    system::SystemClock,
};
use devskyy_testkit::contracts::event_store::{Request, lamp, text_of};
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, RuntimeErr, Statement, TransactionTrait};

use crate::databases::{Fresh, on_both_engines, postgres, sqlite};

async fn started(db: &Database, projections: Vec<Arc<dyn Projection>>) -> Arc<SqlEventStore> {
    Arc::new(SqlEventStore::start(db.clone(), Arc::new(SystemClock), projections).await.unwrap())
}

/// Whether the log accepted a request.
async fn taken(request: Request, store: &SqlEventStore) -> bool {
    request.ask(store).await.is_ok()
}

/// Refuses events that contain `poison`, and panics on `trap`.
struct Fastidious;

#[async_trait]
impl Projection for Fastidious {
    fn name(&self) -> &'static str {
        "fastidious"
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn categories(&self) -> &'static [&'static str] {
        &[]
    }

    async fn apply(&self, _: &DatabaseTransaction, events: &[&RecordedEvent]) -> Result<(), ProjectionError> {
        assert!(!events.iter().any(|event| event.data.contains("trap")), "fallen over");
        match events.iter().any(|event| event.data.contains("poison")) {
            true => Err(PortError::bug("fastidious", "tasting", "poison").into()),
            false => Ok(()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_projection_that_fails_hurts_only_the_request_to_blame() {
    only_one_is_hurt_by("poison").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_projection_that_panics_hurts_only_the_request_to_blame() {
    only_one_is_hurt_by("trap").await;
}

async fn only_one_is_hurt_by(what: &'static str) {
    let fresh = sqlite().await;
    let store = started(&fresh.db, vec![Arc::new(Fastidious)]).await;
    let asked: Vec<_> = (0..32)
        .map(|n| {
            let store = store.clone();
            let note = if n == 13 { what } else { "bread" };
            tokio::spawn(async move { Request::to(lamp(n), &[note]).ask(&*store).await })
        })
        .collect();
    let mut refused = Vec::new();
    for (n, asked) in asked.into_iter().enumerate() {
        refused.extend(asked.await.unwrap().is_err().then_some(n));
    }
    assert_eq!((refused, store.head().await.unwrap()), (vec![13], 31));
    assert_eq!(verify(&fresh.db, &[], vec![], |_, _| ()).await.unwrap().faults, []);
}

/// Refuses batches of several events, and fails single ones as if the database were away.
struct Faint;

#[async_trait]
impl Projection for Faint {
    fn name(&self) -> &'static str {
        "faint"
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn categories(&self) -> &'static [&'static str] {
        &[]
    }

    async fn apply(&self, _: &DatabaseTransaction, events: &[&RecordedEvent]) -> Result<(), ProjectionError> {
        match events.len() {
            1 => Err(DbErr::Conn(RuntimeErr::Internal("away".to_owned())).into()),
            _ => Err(PortError::bug("faint", "tasting", "too much").into()),
        }
    }
}

/// Each of them would be retried for ten seconds of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_requests_of_a_batch_share_its_patience() {
    let fresh = sqlite().await;
    let store = started(&fresh.db, vec![Arc::new(Faint)]).await;
    let held = fresh.db.begin().await.unwrap();
    let asked = (0..8).map(|n| {
        let store = store.clone();
        async move { Request::to(lamp(n), &["a"]).ask(&*store).await }
    });
    let asked = tokio::spawn(join_all(asked.collect::<Vec<_>>()));
    tokio::time::sleep(Duration::from_millis(200)).await;
    held.rollback().await.unwrap();
    let answers = tokio::time::timeout(Duration::from_secs(25), asked).await.expect("an answer to each").unwrap();
    assert!(
        answers.iter().all(|answer| matches!(answer, Err(AppendError::Port(error)) if error.retryable)),
        "{answers:?}"
    );
}

/// More requests than fit into the queue, while the database is locked by another session.
const TOO_MANY: u64 = 6_000;

/// Sends too many requests while another session holds the log's mutex, and releases it once all are sent.
async fn overwhelmed(store: &Arc<SqlEventStore>, held: DatabaseTransaction) {
    let asked = (0..TOO_MANY).map(|n| {
        let store = store.clone();
        async move { Request::to(lamp(n % 7), &[&n.to_string()]).ask(&*store).await }
    });
    let asked = tokio::spawn(join_all(asked.collect::<Vec<_>>()));
    tokio::time::sleep(Duration::from_millis(500)).await;
    held.rollback().await.unwrap();
    let answers = asked.await.unwrap();
    let told = answers.iter().filter(|answer| matches!(answer, Err(AppendError::Overloaded))).count();
    let mut accepted = BTreeMap::new();
    for (n, answer) in answers.into_iter().enumerate().filter(|(_, answer)| answer.is_ok()) {
        accepted.insert(answer.unwrap().first, n.to_string());
    }
    assert!(told > 0 && accepted.len() >= 4_096, "{told} were told to come back, {} accepted", accepted.len());
    assert_eq!(told + accepted.len(), usize::try_from(TOO_MANY).unwrap(), "nobody heard anything else");
    let recorded = store.read_all(0, 10_000, &EventFilter::default()).await.unwrap().events;
    let recorded: BTreeMap<_, _> = recorded.iter().map(|event| (event.position, text_of(event).to_owned())).collect();
    assert_eq!(recorded, accepted);
    Request::to(lamp(1), &["later"]).ask(&**store).await.unwrap();
}

async fn a_full_queue_refuses_at_once_and_loses_nothing_it_accepted(fresh: Fresh) {
    let store = started(&fresh.db, Vec::new()).await;
    let held = fresh.db.begin().await.unwrap();
    if !fresh.db.of_one_process() {
        held.execute_unprepared("SELECT 1 FROM es_head FOR UPDATE").await.unwrap();
    }
    overwhelmed(&store, held).await;
}

on_both_engines!(a_full_queue_refuses_at_once_and_loses_nothing_it_accepted);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn connections_that_are_cut_under_way_lose_and_repeat_nothing() {
    let fresh = postgres().await;
    let store = started(&fresh.db, Vec::new()).await;
    let quiet = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..8)
        .map(|n| {
            let (store, quiet) = (store.clone(), quiet.clone());
            tokio::spawn(async move {
                let mut positions = Vec::new();
                while !quiet.load(Ordering::Relaxed) {
                    positions.push(Request::to(lamp(n), &["a"]).ask(&*store).await.unwrap().last);
                }
                positions
            })
        })
        .collect();
    let executioner = Database::connect(&fresh.url, 3).await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(40)).await;
        // It may cut other connections of its own pool; that is no failure of the log.
        let _ = executioner.writer.execute_unprepared(cut).await;
    }
    quiet.store(true, Ordering::Relaxed);
    let mut positions = Vec::new();
    for writer in writers {
        positions.extend(writer.await.unwrap());
    }
    positions.sort_unstable();
    assert_eq!(positions, (1..=positions.len() as u64).collect::<Vec<_>>());
    // The pool may still hold connections that were cut.
    let unharmed = Database::connect(&fresh.url, 3).await.unwrap();
    assert_eq!(verify(&unharmed, &[], vec![], |_, _| ()).await.unwrap().faults, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn an_open_write_transaction_elsewhere_delays_neither_appends_nor_readers() {
    let fresh = postgres().await;
    let store = started(&fresh.db, Vec::new()).await;
    let stranger = Database::connect(&fresh.url, 3).await.unwrap();
    stranger.writer.execute_unprepared("CREATE TABLE elsewhere (n INT)").await.unwrap();
    let open = stranger.writer.begin().await.unwrap();
    open.execute_unprepared("INSERT INTO elsewhere VALUES (1)").await.unwrap();
    let reader = tokio::spawn({
        let store = store.clone();
        async move { store.beyond(0, 0).await }
    });
    let asked = Request::to(lamp(1), &["a"]);
    tokio::time::timeout(Duration::from_secs(2), asked.ask(&*store)).await.unwrap().unwrap();
    assert_eq!(tokio::time::timeout(Duration::from_secs(2), reader).await.unwrap().unwrap(), 1);
    open.rollback().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_snapshot_that_somebody_holds_keeps_no_event_from_readers() {
    let fresh = postgres().await;
    let store = started(&fresh.db, Vec::new()).await;
    let dump = Database::connect(&fresh.url, 3).await.unwrap();
    let held = dump.begin_reading().await.unwrap();
    held.execute_unprepared("SELECT count(*) FROM es_events").await.unwrap();
    join_all((0..200).map(|n| taken(Request::to(lamp(n), &["a"]), &store))).await;
    let page = store.read_all(0, 1_000, &EventFilter::default()).await.unwrap();
    let positions: Vec<_> = page.events.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=200).collect::<Vec<_>>());
    held.rollback().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn appends_that_are_taken_back_leave_no_gaps() {
    let fresh = postgres().await;
    let store = started(&fresh.db, vec![Arc::new(Fastidious)]).await;
    let asked = (0..600).map(|n| taken(Request::to(lamp(n), &[if n % 3 == 0 { "bread" } else { "poison" }]), &store));
    let answers = join_all(asked).await;
    let page = store.read_all(0, 1_000, &EventFilter::default()).await.unwrap();
    let positions: Vec<_> = page.events.iter().map(|event| event.position).collect();
    assert_eq!((answers.iter().filter(|taken| **taken).count(), positions), (200, (1..=200).collect::<Vec<_>>()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_hung_holder_of_the_mutex_is_waited_out() {
    let fresh = postgres().await;
    let store = started(&fresh.db, Vec::new()).await;
    let stranger = Database::connect(&fresh.url, 3).await.unwrap();
    let hung = stranger.writer.begin().await.unwrap();
    hung.execute_unprepared("SELECT 1 FROM es_head FOR UPDATE").await.unwrap();
    // The server ends an idle transaction after three seconds.
    let asked = Request::to(lamp(1), &["a"]);
    let done = tokio::time::timeout(Duration::from_secs(9), asked.ask(&*store)).await.unwrap().unwrap();
    assert_eq!(done.last, 1);
    drop(hung);
}

/// Two processes append concurrently to a database with another isolation level; returns the errors.
async fn refused_under(isolation: &str) -> Vec<AppendError> {
    let fresh = postgres().await;
    let set = format!(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation TO %L', current_database(), \
         '{isolation}'); END $$"
    );
    fresh.db.writer.execute_unprepared(&set).await.unwrap();
    let mut refused = Vec::new();
    let (one, other) =
        (Database::connect(&fresh.url, 3).await.unwrap(), Database::connect(&fresh.url, 3).await.unwrap());
    let (one, other) = (started(&one, Vec::new()).await, started(&other, Vec::new()).await);
    for n in 0..50 {
        let (asked, too) = (Request::to(lamp(n), &["a"]), Request::to(lamp(n), &["b"]));
        let (answered, too) = tokio::join!(asked.ask(&*one), too.ask(&*other));
        refused.extend([answered, too].into_iter().filter_map(Result::err));
    }
    refused
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_database_set_to_repeatable_reads_refuses_nobody() {
    let refused = refused_under("repeatable read").await;
    assert!(refused.is_empty(), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_database_set_to_be_serializable_refuses_nobody() {
    let refused = refused_under("serializable").await;
    assert!(refused.is_empty(), "{refused:?}");
}

/// A commit that fails for want of space is rolled back by SQLite itself, like one that a hook refuses. The driver then
/// believes that the transaction is still open, and would begin the next ones inside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_sqlite_takes_back_costs_nothing_after_it() {
    let fresh = sqlite().await;
    let store = started(&fresh.db, Vec::new()).await;
    let mut connection = fresh.db.writer.get_sqlite_connection_pool().acquire().await.unwrap();
    let mut full = true;
    connection.lock_handle().await.unwrap().set_commit_hook(move || !std::mem::take(&mut full));
    drop(connection);
    Request::to(lamp(1), &["a"]).ask(&*store).await.unwrap();
    let refused = Request::when(lamp(1), Precondition::NoStream, &["b"]).ask(&*store).await;
    assert!(matches!(refused, Err(AppendError::Conflict { .. })), "{refused:?}");
    let acknowledged = Request::to(lamp(2), &["c"]).ask(&*store).await.unwrap().last;
    assert_eq!((acknowledged, store.head().await.unwrap()), (2, 2));
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_transaction_nobody_waited_for_is_not_left_open() {
    let fresh = postgres().await;
    for step in 0..300 {
        // Dropped at any point: before the server receives it, while it responds, and after.
        let patience = Duration::from_micros(step * 10);
        let _ = tokio::time::timeout(patience, fresh.db.begin()).await;
        let _ = tokio::time::timeout(patience, fresh.db.writer.begin()).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in %'";
    let row = fresh.db.reader.query_one_raw(Statement::from_string(fresh.db.backend(), open)).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 0);
}
