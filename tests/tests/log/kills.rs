//! Writer processes that are killed at random moments: whatever was acknowledged is there afterwards.

use std::{collections::BTreeMap, time::Duration};

use devskyy_application::es::{EventFilter, EventStore};
use devskyy_infrastructure::{es::SqlEventStore, sql::Database, system::SystemClock};
use devskyy_testkit::chance::Chance;

use crate::rig::{Ack, Writer, holds_together, key_of, postgres};

const KILLS: u64 = 50;

/// When a process is killed.
#[derive(Debug, Clone, Copy)]
struct Moment {
    /// Whether it is killed after a first acknowledgement.
    writing: bool,
    /// How long after that, or after it has connected.
    after: Duration,
}

impl Moment {
    /// As often before the first commit as after it; half of all within the time of a few commits.
    fn drawn(chance: &mut Chance) -> Self {
        let writing = chance.below(2) == 1;
        let span = if chance.below(2) == 1 { 10_000 } else { 200_000 };
        Self { writing, after: Duration::from_micros(chance.below(span)) }
    }
}

/// Kills one process after another; each begins with the commands of the one before, so its first appends are repeated
/// ones.
async fn acknowledged_appends_survive(url: String) {
    let db = Database::connect(&url, 4).await.unwrap();
    db.migrate().await.unwrap();
    db.close().await;
    let mut told = BTreeMap::<String, Ack>::new();
    let (mut chance, mut repeated) = (Chance::drawn(), 0);
    for kill in 0..KILLS {
        let (name, url, moment) = (format!("w{}", kill / 5), url.clone(), Moment::drawn(&mut chance));
        let acks = tokio::task::spawn_blocking(move || killed(&url, &name, moment)).await.unwrap();
        for ack in acks {
            if let Some(before) = told.get(&ack.key) {
                assert_eq!(ack.position, before.position, "a retried key moved: {ack:?}, before {before:?}");
                repeated += 1;
            }
            told.entry(ack.key.clone()).or_insert(ack);
        }
    }
    assert!(
        told.len() as u64 > KILLS && repeated > 0,
        "{} appends, {repeated} repeated: too few to prove anything",
        told.len()
    );
    all_are_there(&url, &told).await;
}

fn killed(url: &str, name: &str, moment: Moment) -> Vec<Ack> {
    let mut writer = Writer::start(url, name, "log", 16, 20, 0);
    if moment.writing {
        writer.wait_for_first();
    }
    std::thread::sleep(moment.after);
    writer.process.kill().unwrap();
    writer.acknowledged()
}

async fn all_are_there(url: &str, told: &BTreeMap<String, Ack>) {
    let db = Database::connect(url, 4).await.unwrap();
    holds_together(&db).await;
    let store = SqlEventStore::start(db, std::sync::Arc::new(SystemClock), Vec::new()).await.unwrap();
    let (mut after, mut stored) = (0, BTreeMap::new());
    loop {
        let page = store.read_all(after, 500, &EventFilter::default()).await.unwrap();
        if page.scanned_to == after {
            break;
        }
        after = page.scanned_to;
        for event in page.events {
            let twice = stored.insert(key_of(&event), event.position);
            assert_eq!(twice, None, "recorded twice: {}", event.data);
        }
    }
    for (key, ack) in told {
        assert_eq!(stored.get(key), Some(&ack.position), "{key} was acknowledged");
    }
    store.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kills_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    acknowledged_appends_survive(format!("sqlite://{}/devskyy.db", directory.path().display())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn what_was_acknowledged_survives_kills_on_postgres() {
    acknowledged_appends_survive(postgres().await).await;
}
