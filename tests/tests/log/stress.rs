//! Three processes with 64 writers on one PostgreSQL log, checked against all acknowledgements and a live reader.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use devskyy_application::es::{EventFilter, EventStore};
use devskyy_infrastructure::{es::SqlEventStore, sql::Database, system::SystemClock};
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};

use crate::rig::{Ack, Writer, holds_together, key_of, postgres};

const PROCESSES: u64 = 3;
const WRITERS: [u64; 3] = [22, 21, 21];

/// Everything that was acknowledged. All outputs are read at once, so that none waits for its reader.
fn run(url: &str, mode: &str, streams: u64, commands: u64) -> Vec<Ack> {
    let writers: Vec<_> = WRITERS
        .iter()
        .zip(["a", "b", "c"])
        .map(|(writers, name)| Writer::start(url, name, mode, *writers, streams, commands))
        .collect();
    std::thread::scope(|scope| {
        let told: Vec<_> = writers.into_iter().map(|writer| scope.spawn(|| writer.acknowledged())).collect();
        told.into_iter().flat_map(|acks| acks.join().unwrap()).collect()
    })
}

async fn nothing_is_lost_duplicated_or_reordered(streams: u64, commands: u64) {
    let url = postgres().await;
    let db = Database::connect(&url, 8).await.unwrap();
    db.migrate().await.unwrap();
    let store = Arc::new(SqlEventStore::start(db.clone(), Arc::new(SystemClock), Vec::new()).await.unwrap());
    let reader = tokio::spawn(follow(store.clone(), PROCESSES * commands));
    let acks = tokio::task::spawn_blocking(move || run(&url, "log", streams, commands)).await.unwrap();
    let seen = tokio::time::timeout(Duration::from_secs(60), reader).await.expect("the live reader misses events");
    let seen = seen.unwrap();

    assert_eq!(acks.len() as u64, PROCESSES * commands, "an append was not acknowledged");
    let positions: Vec<_> = seen.iter().map(|(position, _)| *position).collect();
    assert_eq!(positions, (1..=PROCESSES * commands).collect::<Vec<_>>(), "not dense, or not in order");
    let by_position: HashMap<_, _> = seen.into_iter().collect();
    for ack in &acks {
        assert_eq!(by_position.get(&ack.position), Some(&ack.key), "{ack:?} was acknowledged and is not there");
    }
    assert_eq!(acks.iter().map(|ack| &ack.key).collect::<BTreeSet<_>>().len(), acks.len(), "acknowledged twice");
    let mut by_stream = BTreeMap::<u64, BTreeMap<u64, u64>>::new();
    for ack in &acks {
        by_stream.entry(ack.stream).or_default().insert(ack.version, ack.position);
    }
    for (stream, versions) in by_stream {
        assert!(versions.values().is_sorted(), "stream {stream} is reordered");
        assert!(versions.keys().copied().eq(1..=versions.len() as u64), "stream {stream} has a gap");
    }
    holds_together(&db).await;
    store.stop().await;
}

/// Position and key of every event in the order of a live reader.
async fn follow(store: Arc<SqlEventStore>, wanted: u64) -> Vec<(u64, String)> {
    let (mut after, mut seen) = (0, Vec::new());
    while (seen.len() as u64) < wanted {
        store.beyond(after, 0).await;
        let page = store.read_all(after, 500, &EventFilter::default()).await.unwrap();
        seen.extend(page.events.iter().map(|event| (event.position, key_of(event))));
        after = page.scanned_to;
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn sixty_four_writers_of_three_processes_share_one_stream() {
    nothing_is_lost_duplicated_or_reordered(1, 1_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn sixty_four_writers_of_three_processes_share_fifty_streams() {
    nothing_is_lost_duplicated_or_reordered(50, 10_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn sixty_four_writers_of_three_processes_use_a_hundred_thousand_streams() {
    nothing_is_lost_duplicated_or_reordered(100_000, 40_000).await;
}

/// The same test of the mistake it must detect: a reader that continues after the greatest position it saw, over
/// positions from a sequence.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_naive_tail_over_a_sequence_loses_events_in_the_same_harness() {
    let url = postgres().await;
    let db = Database::connect(&url, 8).await.unwrap();
    let table = "CREATE TABLE naive_events (position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key TEXT)";
    db.writer.execute_unprepared(table).await.unwrap();
    let (done, finished) = tokio::sync::watch::channel(false);
    let reader = tokio::spawn(follow_naively(db, finished));
    let acks = tokio::task::spawn_blocking(move || run(&url, "naive", 1, 200)).await.unwrap();
    done.send_replace(true);
    let seen = reader.await.unwrap();
    let lost = acks.iter().filter(|ack| !seen.contains(&ack.position)).count();
    assert!(lost > 0, "the harness cannot see lost events");
}

async fn follow_naively(db: Database, finished: tokio::sync::watch::Receiver<bool>) -> BTreeSet<u64> {
    let mut seen = BTreeSet::new();
    loop {
        let last = *finished.borrow();
        let after = seen.last().copied().unwrap_or_default();
        let sql = "SELECT position FROM naive_events WHERE position > $1 ORDER BY position LIMIT 500";
        let values = vec![i64::try_from(after).unwrap().into()];
        let read = Statement::from_sql_and_values(DatabaseBackend::Postgres, sql, values);
        let page = db.reader.query_all_raw(read).await.unwrap();
        if page.is_empty() && last {
            return seen;
        }
        seen.extend(page.iter().map(|row| u64::try_from(row.try_get_by_index::<i64>(0).unwrap()).unwrap()));
    }
}
