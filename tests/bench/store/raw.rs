//! The databases alone: the same rows, directly through the driver.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{Connection, Executor, PgConnection, SqliteConnection, query::Query};
use uuid::Uuid;

use crate::{append::payload, rig::Engine};

const META: &str = "{\"actor\":\"user:0199aaaa-0000-7000-8000-000000000001\"}";
const EVENTS: &str = "INSERT INTO es_events (position, stream_no, version, recorded_at, event_id, correlation_id, \
     causation_id, schema_version, event_type, data, meta, hash) ";
const STREAMS: &str = "INSERT INTO es_streams (stream_no, category, stream_id, version) ";

/// Rows written in durable transactions of `size` commands, on one connection.
pub(crate) async fn in_batches(engine: Engine, size: usize, time: Duration) -> f64 {
    let fresh = engine.fresh().await;
    let until = Instant::now() + time;
    let mut written = 0i64;
    match engine {
        Engine::Sqlite => {
            let mut connection = sqlite(&fresh.url).await;
            while Instant::now() < until {
                connection.execute("BEGIN IMMEDIATE").await.unwrap();
                sqlite_rows(&mut connection, written + 1, size).await;
                connection.execute("COMMIT").await.unwrap();
                written += i64::try_from(size).unwrap();
            }
        }
        Engine::Postgres => {
            let mut connection = PgConnection::connect(&fresh.url).await.unwrap();
            while Instant::now() < until {
                let mut tx = connection.begin().await.unwrap();
                postgres_rows(&mut tx, written + 1, size).await;
                tx.commit().await.unwrap();
                written += i64::try_from(size).unwrap();
            }
        }
    }
    fresh.db.close().await;
    written as f64
}

/// Commands in a durable transaction each, on as many connections; SQLite has one write connection.
pub(crate) async fn one_by_one(engine: Engine, connections: usize, time: Duration) -> f64 {
    if engine == Engine::Sqlite {
        return in_batches(engine, 1, time).await;
    }
    let fresh = engine.fresh().await;
    let next = Arc::new(AtomicI64::new(0));
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(PgConnection::connect(&fresh.url).await.unwrap());
    }
    let until = Instant::now() + time;
    let tasks: Vec<_> = open
        .into_iter()
        .map(|mut connection| {
            let next = next.clone();
            tokio::spawn(async move {
                let mut written = 0;
                while Instant::now() < until {
                    let mut tx = connection.begin().await.unwrap();
                    postgres_rows(&mut tx, next.fetch_add(1, Ordering::Relaxed) + 1, 1).await;
                    tx.commit().await.unwrap();
                    written += 1;
                }
                written
            })
        })
        .collect();
    let mut written = 0;
    for task in tasks {
        written += task.await.unwrap();
    }
    fresh.db.close().await;
    f64::from(written)
}

pub(crate) async fn sqlite(url: &str) -> SqliteConnection {
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    connection.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=268435456").await.unwrap();
    connection
}

/// Streams are created in the order of their ids, as with UUIDv7.
pub(crate) fn id(n: i64) -> Uuid {
    Uuid::from_u64_pair(u64::try_from(n).unwrap(), 7)
}

async fn sqlite_rows(connection: &mut SqliteConnection, first: i64, size: usize) {
    let rows = |columns: usize| vec![format!("(?{})", ", ?".repeat(columns - 1)); size].join(", ");
    let (events, streams) = (format!("{EVENTS}VALUES {}", rows(12)), format!("{STREAMS}VALUES {}", rows(4)));
    let mut insert: Query<'_, _, _> = sqlx::query(sqlx::AssertSqlSafe(events));
    let last = first + i64::try_from(size).unwrap();
    for n in first..last {
        insert = insert.bind(n).bind(n).bind(1i64).bind(1_767_268_800_000_000i64).bind(id(n)).bind(id(1)).bind(id(1));
        insert = insert.bind(1i16).bind("lamp.lit").bind(payload()).bind(META).bind(vec![7u8; 32]);
    }
    insert.execute(&mut *connection).await.unwrap();
    let mut insert: Query<'_, _, _> = sqlx::query(sqlx::AssertSqlSafe(streams));
    for n in first..last {
        insert = insert.bind(n).bind("lamp").bind(id(n)).bind(1i64);
    }
    insert.execute(&mut *connection).await.unwrap();
}

async fn postgres_rows(connection: &mut PgConnection, first: i64, size: usize) {
    let numbers: Vec<i64> = (first..first + i64::try_from(size).unwrap()).collect();
    let ids: Vec<Uuid> = numbers.iter().map(|n| id(*n)).collect();
    let events = format!(
        "{EVENTS}SELECT n, n, 1, 1767268800000000, i, $3, $3, 1, 'lamp.lit', d, m, h \
         FROM UNNEST($1::bigint[], $2::uuid[], $4::text[], $5::text[], $6::bytea[]) AS r (n, i, d, m, h)"
    );
    let insert = sqlx::query(sqlx::AssertSqlSafe(events)).bind(&numbers).bind(&ids).bind(id(1));
    let insert = insert.bind(vec![payload(); size]).bind(vec![META; size]).bind(vec![vec![7u8; 32]; size]);
    insert.execute(&mut *connection).await.unwrap();
    let streams = format!("{STREAMS}SELECT n, 'lamp', i, 1 FROM UNNEST($1::bigint[], $2::uuid[]) AS r (n, i)");
    let insert = sqlx::query(sqlx::AssertSqlSafe(streams)).bind(&numbers).bind(&ids);
    insert.execute(&mut *connection).await.unwrap();
}
