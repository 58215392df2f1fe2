//! Views are rebuilt while the log grows; whatever happens meanwhile, they are either the old ones or correct.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use devskyy_application::es::{AppendRequest, EventStore, NewEvent, Precondition, Repository, StreamId, StreamWrite};
use devskyy_domain::{
    kernel::{Aggregate, ids::UserId},
    projects::{Project, ProjectName, ProjectRole},
};
use devskyy_infrastructure::{
    es::{Fault, PerStream, Projection, SqlEventStore, rebuild, verify},
    projects::ProjectsProjection,
    sql::Database,
    system::SystemClock,
    totals::TotalsProjection,
};
use devskyy_testkit::{contracts::event_store::context, fakes::SequentialIds};
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use tokio::{
    runtime::Handle,
    task::block_in_place,
    time::{sleep, timeout},
};

use crate::databases::{Fresh, on_both_engines, postgres, sqlite};

/// Projects in the log before a rebuild begins.
const PROJECTS: u64 = 120;
/// Events of each: together more than a page has.
const EACH: u64 = 50;
/// How long an append may take on a busy machine: the log would refuse it only after ten seconds.
const SOON: Duration = Duration::from_secs(8);

fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(PerStream(ProjectsProjection)), Arc::new(TotalsProjection)]
}

async fn store(db: &Database) -> Arc<dyn EventStore> {
    Arc::new(SqlEventStore::start(db.clone(), Arc::new(SystemClock), projections()).await.unwrap())
}

fn name(n: u64) -> ProjectName {
    ProjectName::parse(&format!("Lamp {n}")).unwrap()
}

/// A project that adds and removes a member, and is renamed often.
fn history() -> Vec<NewEvent> {
    let (owner, member) = (UserId::from(SequentialIds::nth(1)), UserId::from(SequentialIds::nth(2)));
    let (mut project, mut events) = (Project::default(), Vec::new());
    for n in 0..EACH {
        let decided = match n {
            0 => project.create(&name(0), owner, false),
            1 => project.add_member(member, ProjectRole::Viewer),
            2 => project.remove_member(member),
            n => project.rename(&name(n)),
        };
        let decided = decided.unwrap();
        project = project.evolved(&decided);
        events.extend(decided.iter().map(|event| NewEvent::encode(event).unwrap()));
    }
    events
}

async fn filled(fresh: &Fresh) -> Arc<dyn EventStore> {
    let (store, history) = (store(&fresh.db).await, history());
    for n in 0..PROJECTS {
        let stream = StreamId { category: Project::CATEGORY, id: SequentialIds::nth(1_000 + n) };
        let write = StreamWrite { stream, precondition: Precondition::NoStream, events: history.clone() };
        let (writes, claims) = (vec![write], Vec::new());
        store.append(AppendRequest { writes, claims, idempotency: None, context: context() }).await.unwrap();
    }
    store
}

/// Creates one project, and renames an old one.
async fn work(store: &Arc<dyn EventStore>, n: u64) {
    let projects = Repository::<Project>::new(store.clone());
    let (fresh, old) = (SequentialIds::nth(100_000 + n), SequentialIds::nth(1_000 + n % PROJECTS));
    let owner = UserId::from(SequentialIds::nth(3));
    projects.update(context(), fresh.into(), None, |it| it.create(&name(n), owner, false)).await.unwrap();
    projects.update(context(), old.into(), None, |it| it.rename(&name(n + 1_000))).await.unwrap();
}

async fn faults(db: &Database) -> Vec<Fault> {
    verify(db, &projections(), vec![], |_, _| ()).await.unwrap().faults
}

/// Runs something to its end in the middle of a rebuild, after its first page.
fn once<T>(mut what: impl FnMut() -> T + Send) -> impl FnMut(u64, u64) + Send {
    let mut pending = true;
    move |_, _| {
        if std::mem::take(&mut pending) {
            what();
        }
    }
}

/// Waits for a future in synchronous code.
fn wait_for<F: Future>(what: F) -> F::Output {
    block_in_place(|| Handle::current().block_on(what))
}

async fn an_append_is_answered_in_the_middle(fresh: Fresh) {
    let store = filled(&fresh).await;
    let append = once(|| wait_for(timeout(SOON, work(&store, 0))).expect("an answer while the rebuild stands still"));
    rebuild(&fresh.db, &projections(), append).await.unwrap();
    assert_eq!(faults(&fresh.db).await, []);
}

async fn appends_go_on_during_rebuilds(fresh: Fresh) {
    // Two logs over one database are two processes; SQLite allows only one.
    let mut stores = vec![filled(&fresh).await];
    if !fresh.db.of_one_process() {
        stores.push(store(&Database::connect(&fresh.url, 16).await.unwrap()).await);
    }
    let (done, worked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let busy: Vec<_> = (0u64..6)
        .map(|task| {
            let (store, done, worked) = (stores[task as usize % stores.len()].clone(), done.clone(), worked.clone());
            tokio::spawn(async move {
                let mut n = task * 10_000;
                while !done.load(Ordering::Relaxed) {
                    timeout(SOON, work(&store, n)).await.expect("an answer within a moment");
                    n += 1;
                    worked.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for _ in 0..3 {
        let before = worked.load(Ordering::Relaxed);
        rebuild(&fresh.db, &projections(), |_, _| ()).await.unwrap();
        assert!(worked.load(Ordering::Relaxed) > before, "somebody worked meanwhile");
    }
    done.store(true, Ordering::Relaxed);
    for task in busy {
        task.await.unwrap();
    }
    assert_eq!(faults(&fresh.db).await, []);
}

/// A row that does not follow from the log, to show which rows are there.
async fn spoil(db: &Database) {
    db.writer.execute_unprepared("UPDATE projects SET name = 'Mine' WHERE position = 50").await.unwrap();
}

async fn what_ends_in_the_middle_changes_nothing(fresh: Fresh) {
    filled(&fresh).await;
    spoil(&fresh.db).await;
    let db = fresh.db.clone();
    let killed = tokio::spawn(async move {
        rebuild(&db, &projections(), |_, _| panic!("killed")).await.unwrap();
    });
    assert!(killed.await.is_err());
    assert_eq!(faults(&fresh.db).await.len(), 1, "the old rows are there");
    rebuild(&fresh.db, &projections(), |_, _| ()).await.unwrap();
    assert_eq!(faults(&fresh.db).await, []);
}

on_both_engines!(
    an_append_is_answered_in_the_middle,
    appends_go_on_during_rebuilds,
    what_ends_in_the_middle_changes_nothing,
);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_rebuilds_at_once_are_both_right_on_sqlite() {
    let fresh = sqlite().await;
    filled(&fresh).await;
    let other = once(|| wait_for(rebuild(&fresh.db, &projections(), |_, _| ())).unwrap());
    rebuild(&fresh.db, &projections(), other).await.unwrap();
    assert_eq!(faults(&fresh.db).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs PostgreSQL"]
async fn a_second_rebuild_is_refused_while_one_is_under_way_on_postgres() {
    let fresh = postgres().await;
    filled(&fresh).await;
    let (db, mut refused) = (fresh.db.clone(), None);
    let second = once(|| refused = wait_for(rebuild(&db, &projections(), |_, _| ())).err());
    rebuild(&fresh.db, &projections(), second).await.unwrap();
    assert!(refused.unwrap().source.to_string().contains("under way"));
}

async fn texts(db: &Database, sql: &str) -> Vec<String> {
    let rows = db.writer.query_all_raw(Statement::from_string(DatabaseBackend::Postgres, sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs PostgreSQL"]
async fn new_tables_are_made_as_the_old_ones_were_on_postgres() {
    let fresh = postgres().await;
    filled(&fresh).await;
    fresh.db.writer.execute_unprepared("GRANT SELECT ON projects TO PUBLIC").await.unwrap();
    let made = "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() \
         UNION ALL SELECT format('%s %s', conrelid::regclass, conname) FROM pg_constraint WHERE conrelid <> 0 \
         UNION ALL SELECT format('%s %s %s', relname, reloptions, relacl) FROM pg_class \
         WHERE relnamespace = current_schema()::regnamespace ORDER BY 1";
    let before = texts(&fresh.db, made).await;
    rebuild(&fresh.db, &projections(), |_, _| ()).await.unwrap();
    assert_eq!(texts(&fresh.db, made).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs PostgreSQL"]
async fn nothing_is_left_of_rebuilds_on_postgres() {
    let fresh = postgres().await;
    filled(&fresh).await;
    let db = fresh.db.clone();
    let killed = tokio::spawn(async move { rebuild(&db, &projections(), |_, _| panic!("killed")).await.is_ok() });
    assert!(killed.await.is_err());
    let left = "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE '%rebuild%'";
    let between = texts(&fresh.db, left).await.len();
    rebuild(&fresh.db, &projections(), |_, _| ()).await.unwrap();
    assert_eq!((between, texts(&fresh.db, left).await.len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs PostgreSQL"]
async fn schemas_with_similar_names_survive_a_rebuild_on_postgres() {
    let fresh = postgres().await;
    filled(&fresh).await;
    let similar = ["public_rebuild_backup", "public_rebuild_20260101", "public_rebuild_20260101000000000000_backup"];
    for schema in similar {
        fresh.db.writer.execute_unprepared(&format!("CREATE SCHEMA {schema}")).await.unwrap();
    }
    rebuild(&fresh.db, &projections(), |_, _| ()).await.unwrap();
    let left = "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE '%rebuild%' ORDER BY length(nspname)";
    assert_eq!(texts(&fresh.db, left).await, ["public_rebuild_backup", "public_rebuild_20260101", similar[2]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs PostgreSQL"]
async fn a_rebuild_waits_for_whoever_reads_and_appends_do_not_on_postgres() {
    let fresh = postgres().await;
    let store = filled(&fresh).await;
    let reading = fresh.db.begin_reading().await.unwrap();
    reading.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = 0").await.unwrap();
    reading.execute_unprepared("SELECT COUNT(*) FROM projects").await.unwrap();
    let db = fresh.db.clone();
    let rebuilding = tokio::spawn(async move { rebuild(&db, &projections(), |_, _| ()).await });
    for n in 0..30 {
        timeout(SOON, work(&store, n)).await.unwrap();
        sleep(Duration::from_millis(100)).await;
    }
    assert!(!rebuilding.is_finished(), "somebody reads");
    reading.rollback().await.unwrap();
    rebuilding.await.unwrap().unwrap();
    assert_eq!(faults(&fresh.db).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs PostgreSQL"]
async fn tables_that_a_migration_changes_meanwhile_stay_on_postgres() {
    let fresh = postgres().await;
    filled(&fresh).await;
    let db = fresh.db.clone();
    let migrate = once(|| {
        wait_for(db.writer.execute_unprepared("CREATE INDEX projects_by_chance ON projects (version)")).unwrap()
    });
    let refused = rebuild(&fresh.db, &projections(), migrate).await.unwrap_err();
    let kept = texts(&fresh.db, "SELECT indexname::text FROM pg_indexes WHERE indexname = 'projects_by_chance'").await;
    assert_eq!((refused.source.to_string().contains("migration"), kept.len()), (true, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs PostgreSQL"]
async fn a_rebuild_whose_connections_are_ended_changes_nothing_on_postgres() {
    let fresh = postgres().await;
    filled(&fresh).await;
    spoil(&fresh.db).await;
    let db = fresh.db.clone();
    let end = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity \
         WHERE datname = current_database() AND state = 'idle in transaction'";
    let ended = once(|| wait_for(texts(&db, end)));
    rebuild(&fresh.db, &projections(), ended).await.unwrap_err();
    assert_eq!(faults(&fresh.db).await.len(), 1);
}

/// A user's view on one of the tables prevents its removal, which shows only at the switch.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs PostgreSQL"]
async fn appends_go_on_after_a_change_over_that_failed_on_postgres() {
    let fresh = postgres().await;
    let store = filled(&fresh).await;
    fresh.db.writer.execute_unprepared("CREATE VIEW report AS SELECT name FROM projects").await.unwrap();
    timeout(Duration::from_secs(60), rebuild(&fresh.db, &projections(), |_, _| ())).await.unwrap().unwrap_err();
    timeout(SOON, work(&store, 1)).await.unwrap();
    assert_eq!(faults(&fresh.db).await, []);
}
