//! Replaying into typed state beside raw reading and decoding; rebuilding a projection; loading one aggregate.

use std::{collections::HashMap, sync::Arc, time::Instant};

use devskyy_application::es::{AppendRequest, EventStore, NewEvent, Precondition, Repository, StreamId, StreamWrite};
use devskyy_domain::{
    kernel::{Aggregate, EventSet, ids::UserId},
    projects::{Project, ProjectEvent, ProjectName},
};
use devskyy_infrastructure::{
    es::{PerStream, Projection, Replay, SqlEventStore, rebuild},
    projects::ProjectsProjection,
    sql::Database,
    system::SystemClock,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row};
use uuid::Uuid;

use crate::{
    append::context,
    raw::sqlite,
    rig::{Engine, median},
};

/// Events of each aggregate.
const EACH: u64 = 50;
/// Aggregates that are loaded.
const LOADS: u64 = 2_000;

pub(crate) async fn measure(engine: Engine, events: u64, rounds: usize) -> Value {
    let fresh = engine.fresh().await;
    let store = SqlEventStore::start_shared(fresh.db.clone(), Arc::new(SystemClock), Vec::new()).await.unwrap();
    let store = Arc::new(store);
    let streams = events.div_ceil(EACH);
    let history = history();
    stream::iter(0..streams)
        .map(|n| store.append(request(n, history.clone())))
        .buffer_unordered(64)
        .try_for_each(|_| async { Ok(()) })
        .await
        .unwrap();
    let events = store.head().await.unwrap();
    let per_second = |started: Instant| events as f64 / started.elapsed().as_secs_f64();
    let projections: Vec<Arc<dyn Projection>> = vec![Arc::new(PerStream(ProjectsProjection))];

    let projects = Repository::<Project>::new(store.clone());
    let (mut raw, mut typed, mut rebuilt) = (Vec::new(), Vec::new(), Vec::new());
    let (mut raw_loads, mut loads) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let started = Instant::now();
        read_raw(engine, &fresh.url, events).await;
        raw.push(per_second(started));
        let started = Instant::now();
        assert_eq!(replay(&fresh.db, events).await as u64, streams);
        typed.push(per_second(started));
        let started = Instant::now();
        rebuild(&fresh.db, &projections, |_, _| ()).await.unwrap();
        rebuilt.push(per_second(started));
        let wanted: Vec<Uuid> = (0..LOADS).map(|n| id(n.wrapping_mul(7_919) % streams)).collect();
        raw_loads.push(load_raw(engine, &fresh.url, &wanted).await / LOADS as f64);
        let started = Instant::now();
        for project in wanted {
            assert_eq!(projects.load(project.into()).await.unwrap().version, EACH);
        }
        loads.push(started.elapsed().as_secs_f64() * 1e6 / LOADS as f64);
    }
    let (raw, typed, rebuilt) = (median(raw), median(typed), median(rebuilt));
    let (raw_load, load) = (median(raw_loads), median(loads));
    store.stop().await;
    fresh.db.close().await;
    json!({
        "events": events,
        "raw_read_and_decode_per_second": raw.round(),
        "typed_replay_per_second": typed.round(),
        "ratio_to_raw": typed / raw,
        "projection_rebuild_per_second": rebuilt.round(),
        "rebuild_ratio_to_raw": rebuilt / raw,
        "load_of_50_events_us": load.round(),
        "raw_load_of_50_events_us": raw_load.round(),
    })
}

fn id(n: u64) -> Uuid {
    Uuid::from_u64_pair(0x0199_0000_0000_7000, 0x8000_0000_0000_0000 | n)
}

/// A project that is created and then renamed repeatedly.
fn history() -> Vec<NewEvent> {
    let (mut project, mut events) = (Project::default(), Vec::new());
    let owner = UserId::from(id(1));
    while (events.len() as u64) < EACH {
        let name = ProjectName::parse(&format!("Project number {}", events.len())).unwrap();
        let decided = match events.is_empty() {
            true => project.create(&name, owner, false),
            false => project.rename(&name),
        };
        let decided = decided.unwrap();
        project = project.evolved(&decided);
        events.extend(decided.iter().map(|event| NewEvent::encode(event).unwrap()));
    }
    events
}

fn request(n: u64, events: Vec<NewEvent>) -> AppendRequest {
    let stream = StreamId { category: Project::CATEGORY, id: id(n) };
    AppendRequest {
        writes: vec![StreamWrite { stream, precondition: Precondition::NoStream, events }],
        claims: Vec::new(),
        idempotency: None,
        context: context(),
    }
}

/// Folds the whole log and returns how many projects there are.
async fn replay(db: &Database, events: u64) -> usize {
    let mut projects = HashMap::<Uuid, Project>::new();
    let mut replay = Replay::start(db, Vec::new(), events);
    while let Some(page) = replay.next().await.unwrap() {
        for event in &page.events {
            projects.entry(event.stream_id).or_default().apply(&event.decode().unwrap());
        }
    }
    projects.len()
}

/// Decodes a stored event, straight from the driver's row of its type, version and payload.
macro_rules! decoded {
    ($row:expr) => {{
        let row = $row;
        let version = u16::try_from(row.get::<i16, _>(1)).unwrap();
        ProjectEvent::decode(row.get(0), version, &mut serde_json::Deserializer::from_str(row.get(2))).unwrap()
    }};
}

/// Reads every payload in order and decodes it, directly through the driver.
async fn read_raw(engine: Engine, url: &str, events: u64) {
    let sql = "SELECT event_type, schema_version, data, stream_no FROM es_events ORDER BY position";
    let mut read = 0;
    macro_rules! decode_all {
        ($connection:expr) => {{
            let mut connection = $connection;
            let mut rows = sqlx::query(sql).fetch(&mut connection);
            while let Some(row) = rows.try_next().await.unwrap() {
                std::hint::black_box((row.get::<i64, _>(3), decoded!(row)));
                read += 1;
            }
        }};
    }
    match engine {
        Engine::Sqlite => decode_all!(sqlite(url).await),
        Engine::Postgres => decode_all!(PgConnection::connect(url).await.unwrap()),
    }
    assert_eq!(read, events);
}

/// Reads and decodes the events of aggregates, one aggregate after the other; returns the microseconds in total.
async fn load_raw(engine: Engine, url: &str, projects: &[Uuid]) -> f64 {
    let sql = "SELECT e.event_type, e.schema_version, e.data FROM es_streams s JOIN es_events e ON e.stream_no = s.stream_no \
               WHERE s.stream_id = $1 AND s.category = 'project' ORDER BY e.version";
    macro_rules! load_all {
        ($connection:expr) => {{
            let mut connection = $connection;
            let started = Instant::now();
            for project in projects {
                let rows = sqlx::query(sql).bind(*project).fetch_all(&mut connection).await.unwrap();
                assert_eq!(rows.iter().map(|row| std::hint::black_box(decoded!(row))).count() as u64, EACH);
            }
            started.elapsed().as_secs_f64() * 1e6
        }};
    }
    match engine {
        Engine::Sqlite => load_all!(sqlite(url).await),
        Engine::Postgres => load_all!(PgConnection::connect(url).await.unwrap()),
    }
}
