//! Durable appends: the log, the raw store in batches of the same size, and one transaction per command.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use devskyy_application::es::{AppendRequest, EventContext, EventStore, NewEvent, Precondition, StreamId, StreamWrite};
use devskyy_infrastructure::{es::SqlEventStore, system::SystemClock};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    raw,
    rig::{Engine, median},
};

/// Bytes of an event's payload.
pub(crate) const PAYLOAD: usize = 300;

/// Median over interleaved rounds at each concurrency.
pub(crate) async fn measure(engine: Engine, clients: &[usize], seconds: f64, rounds: usize) -> Value {
    let mut rows = Vec::new();
    let time = Duration::from_secs_f64(seconds);
    for &clients in clients {
        let (mut log, mut batches, mut singles) = (Vec::new(), Vec::new(), Vec::new());
        let (mut p50, mut p99) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let mut latencies = through_the_log(engine, clients, time).await;
            log.push(latencies.len() as f64 / seconds);
            latencies.sort();
            p50.push(latencies[latencies.len() / 2].as_secs_f64() * 1e3);
            p99.push(latencies[latencies.len() * 99 / 100].as_secs_f64() * 1e3);
            batches.push(raw::in_batches(engine, clients, time).await / seconds);
            singles.push(raw::one_by_one(engine, clients, time).await / seconds);
        }
        let (log, batches, singles) = (median(log), median(batches), median(singles));
        rows.push(json!({
            "concurrent_commands": clients,
            "appends_per_second": log.round(),
            "p50_ms": median(p50),
            "p99_ms": median(p99),
            "raw_batches_of_same_size_per_second": batches.round(),
            "ratio_to_raw_batches": log / batches,
            "one_transaction_per_command_per_second": singles.round(),
            "one_transaction_connections": if engine == Engine::Postgres { clients } else { 1 },
            "ratio_to_one_transaction": log / singles,
        }));
    }
    let best = |key: &str| rows.iter().filter_map(|row| row[key].as_f64()).fold(0.0, f64::max);
    let best_single = best("one_transaction_per_command_per_second");
    let most = rows.last().and_then(|row| row["appends_per_second"].as_f64()).unwrap_or_default();
    json!({ "rounds": rows, "ratio_of_most_commands_to_best_one_transaction": most / best_single })
}

async fn through_the_log(engine: Engine, clients: usize, time: Duration) -> Vec<Duration> {
    let fresh = engine.fresh().await;
    let store = SqlEventStore::start_shared(fresh.db.clone(), Arc::new(SystemClock), Vec::new()).await.unwrap();
    let store = Arc::new(store);
    let next = Arc::new(AtomicI64::new(0));
    let until = Instant::now() + time;
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let (store, next) = (store.clone(), next.clone());
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                loop {
                    let asked = Instant::now();
                    if asked >= until {
                        return latencies;
                    }
                    store.append(request(raw::id(next.fetch_add(1, Ordering::Relaxed) + 1))).await.unwrap();
                    latencies.push(asked.elapsed());
                }
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.unwrap());
    }
    store.stop().await;
    fresh.db.close().await;
    latencies
}

fn request(id: Uuid) -> AppendRequest {
    let event = NewEvent { event_type: "lamp.lit".into(), schema_version: 1, data: payload() };
    let stream = StreamId { category: "lamp", id };
    AppendRequest {
        writes: vec![StreamWrite { stream, precondition: Precondition::NoStream, events: vec![event] }],
        claims: Vec::new(),
        idempotency: None,
        context: context(),
    }
}

pub(crate) fn context() -> EventContext {
    EventContext {
        actor: "user:0199aaaa-0000-7000-8000-000000000001".to_owned(),
        project: None,
        correlation_id: Uuid::from_u128(1),
        causation_id: Uuid::from_u128(1),
        source: None,
        traceparent: None,
    }
}

pub(crate) fn payload() -> String {
    format!("{{\"note\":\"{}\"}}", "x".repeat(PAYLOAD - 11))
}
