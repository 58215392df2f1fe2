//! Random histories, appended concurrently and across restarts, compared with the simplest possible log.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use devskyy_application::es::{
    AppendError, AppendRequest, Appended, ClaimChange, EventFilter, EventStore, Precondition, RecordedEvent, ScopedKey,
};
use devskyy_infrastructure::{
    es::{SqlEventStore, verify},
    sql::Database,
    system::SystemClock,
};
use devskyy_testkit::{
    contracts::event_store::{Request, lamp},
    reads_through,
    reference_log::{Answer, ReferenceLog, request},
};
use futures_util::future::join_all;
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use sea_orm::{ConnectionTrait, QueryResult, Statement, TryGetable};
use uuid::Uuid;

use crate::databases::{Fresh, on_both_engines, postgres, sqlite};

/// The number of histories, of restarts of the log in each, and of concurrent requests in between. They queue in the
/// order in which they are sent, however they are batched.
const HISTORIES: usize = 6;
const WAVES: usize = 6;
const AT_ONCE: usize = 24;

type History = Vec<Vec<AppendRequest>>;

/// The same histories each time.
fn histories() -> Vec<History> {
    let mut runner = TestRunner::deterministic();
    let history = prop::collection::vec(prop::collection::vec(request(), AT_ONCE), WAVES);
    (0..HISTORIES).map(|_| history.new_tree(&mut runner).unwrap().current()).collect()
}

/// What is wrong with a log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// Accepts a stale version as the current one.
    Trusting,
    /// Forgets idempotency keys.
    Forgetful,
    /// Releases no value.
    Clinging,
    /// Records one event of a stream less than requested.
    Careless,
}

struct Flawed {
    log: SqlEventStore,
    flaw: Flaw,
}

impl devskyy_application::es::Rewindable for Flawed {}

#[async_trait]
impl EventStore for Flawed {
    async fn append(&self, mut request: AppendRequest) -> Result<Appended, AppendError> {
        match self.flaw {
            Flaw::None => {}
            Flaw::Trusting => request.writes.iter_mut().for_each(|write| write.precondition = Precondition::Any),
            Flaw::Forgetful => request.idempotency = None,
            Flaw::Clinging => request.claims.retain(|change| matches!(change, ClaimChange::Take { .. })),
            Flaw::Careless => request.writes.iter_mut().for_each(|write| write.events.truncate(1)),
        }
        self.log.append(request).await
    }

    reads_through!(log);
}

/// Appends a history to the log, and returns where it differs from the simplest log.
async fn deviation(fresh: &Fresh, history: &History, flaw: Flaw) -> Option<String> {
    let mut model = ReferenceLog::default();
    for wave in history {
        // Each wave has a process of its own.
        let db = Database::connect(&fresh.url, 4).await.unwrap();
        let log = SqlEventStore::start(db.clone(), Arc::new(SystemClock), Vec::new()).await.unwrap();
        let store = Flawed { log, flaw };
        let answers = join_all(wave.iter().map(|request| store.append(request.clone()))).await;
        store.log.stop().await;
        db.close().await;
        for (request, answered) in wave.iter().zip(answers) {
            let (answered, right) = (Answer::of(answered), model.answer(request));
            if answered != right {
                return Some(format!("{answered:?} instead of {right:?} to {request:?}"));
            }
        }
    }
    let kept = Kept::by(fresh).await;
    (kept != Kept::of(model)).then(|| format!("{kept:?}"))
}

/// What is in the tables.
#[derive(Debug, PartialEq)]
struct Kept {
    events: Vec<(u64, Uuid, u64, String)>,
    streams: BTreeMap<Uuid, u64>,
    claims: BTreeMap<(String, String), Uuid>,
    keys: BTreeMap<ScopedKey, (Vec<u8>, i64, i64)>,
}

impl Kept {
    fn of(model: ReferenceLog) -> Self {
        let numbered = (1..).zip(model.events);
        let signed = |number: u64| i64::try_from(number).unwrap();
        let used = |(key, (fingerprint, first, last)): (ScopedKey, ([u8; 32], u64, u64))| {
            (key, (fingerprint.to_vec(), signed(first), signed(last)))
        };
        Self {
            events: numbered.map(|(position, (stream, version, data))| (position, stream.id, version, data)).collect(),
            streams: model.versions.into_iter().map(|(stream, version)| (stream.id, version)).collect(),
            claims: model.claims,
            keys: model.keys.into_iter().map(used).collect(),
        }
    }

    async fn by(fresh: &Fresh) -> Self {
        let log = SqlEventStore::start(fresh.db.clone(), Arc::new(SystemClock), Vec::new()).await.unwrap();
        let recorded = log.read_all(0, 10_000, &EventFilter::default()).await.unwrap().events;
        log.stop().await;
        let event = |it: RecordedEvent| (it.position, it.stream_id, it.version, it.data);
        let rows = async |sql: &str| {
            fresh.db.reader.query_all_raw(Statement::from_string(fresh.db.backend(), sql)).await.unwrap()
        };
        let streams = rows("SELECT stream_id, version FROM es_streams").await;
        let claims = rows("SELECT scope, value, owner FROM es_claims").await;
        let keys = rows("SELECT scope, key, fingerprint, first_position, last_position FROM es_dedup").await;
        let version = |row: &QueryResult| u64::try_from(at::<i64>(row, 1)).unwrap();
        Self {
            events: recorded.into_iter().map(event).collect(),
            streams: streams.iter().map(|row| (at(row, 0), version(row))).collect(),
            claims: claims.iter().map(|row| ((at(row, 0), at(row, 1)), at(row, 2))).collect(),
            keys: keys.iter().map(|row| ((at(row, 0), at(row, 1)), (at(row, 2), at(row, 3), at(row, 4)))).collect(),
        }
    }
}

fn at<T: TryGetable>(row: &QueryResult, index: usize) -> T {
    row.try_get_by_index(index).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_history_is_answered_and_kept_as_one_request_at_a_time_would_be_on_sqlite() {
    for history in histories() {
        assert_eq!(deviation(&sqlite().await, &history, Flaw::None).await, None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn any_history_is_answered_and_kept_as_one_request_at_a_time_would_be_on_postgres() {
    for history in histories() {
        assert_eq!(deviation(&postgres().await, &history, Flaw::None).await, None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_with_any_flaw_is_found_by_some_history() {
    for flaw in [Flaw::Trusting, Flaw::Forgetful, Flaw::Clinging, Flaw::Careless] {
        let mut found = false;
        for history in histories() {
            found |= deviation(&sqlite().await, &history, flaw).await.is_some();
        }
        assert!(found, "flaw {}", flaw as u8);
    }
}

/// More events than rows fit into one statement of SQLite, with as many values as fit.
async fn five_thousand_events_are_recorded_at_once(fresh: Fresh) {
    let log = SqlEventStore::start(fresh.db.clone(), Arc::new(SystemClock), Vec::new()).await.unwrap();
    let notes: Vec<String> = (0..5_000).map(|n| format!("note {n}")).collect();
    let notes: Vec<&str> = notes.iter().map(String::as_str).collect();
    let appended = Request::to(lamp(1), &notes).ask(&log).await.unwrap();
    let faults = verify(&fresh.db, &[], vec![], |_, _| ()).await.unwrap().faults;
    assert_eq!((appended.last, log.head().await.unwrap(), faults), (5_000, 5_000, vec![]));
}

/// More streams than values fit into one statement of SQLite, of which the last ones exist.
async fn eighteen_thousand_streams_are_looked_up_at_once(fresh: Fresh) {
    let log = SqlEventStore::start(fresh.db.clone(), Arc::new(SystemClock), Vec::new()).await.unwrap();
    Request::to(lamp(17_999), &["there"]).ask(&log).await.unwrap();
    let guarded = |upto: u64| {
        let none = Request::to(lamp(20_000), &["made"]);
        (0..upto).fold(none, |request, n| request.and(lamp(n), Precondition::NoStream, &[]))
    };
    let refused = Answer::of(guarded(18_000).ask(&log).await);
    let accepted = guarded(17_999).ask(&log).await.unwrap().last;
    assert_eq!((refused, accepted), (Answer::Conflict { stream: lamp(17_999), actual: 1 }, 2));
}

on_both_engines!(five_thousand_events_are_recorded_at_once, eighteen_thousand_streams_are_looked_up_at_once);
