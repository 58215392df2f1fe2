//! Many users sign in at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde_json::{Value, json};

use crate::server::{PASSWORD, Server, ms, spread};

/// Pause between two health checks.
const PROBE: Duration = Duration::from_millis(10);

pub(crate) async fn measure(server: &Server, clients: usize, seconds: f64) -> Value {
    let emails: Vec<String> = (0..clients).map(|n| format!("user-{n}@example.org")).collect();
    for n in 0..clients {
        server.register(&format!("user-{n}"), None).await;
    }
    for email in &emails {
        assert_eq!(server.log_in(email, PASSWORD).await.0, 200);
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    // The default of security.hash_threads.
    let threads = processors.saturating_sub(1).max(1);
    let calm = health(server, Duration::from_secs_f64(seconds.min(3.0))).await;
    let before = bare(threads, seconds / 2.0);
    let (rate, others, taken, health) = storm(server, &emails, seconds).await;
    let after = bare(threads, seconds / 2.0);
    let (raw, all) = ((before + after) / 2.0, bare(processors, seconds / 2.0));
    json!({
        "clients": clients, "seconds": seconds, "hash_threads": threads,
        "logins_per_s": round(rate), "not_200": others, "login_ms": taken,
        "raw_argon2_per_s": {"before": round(before), "after": round(after), "on_every_processor": round(all)},
        "of_raw": round(rate / raw), "of_raw_on_every_processor": round(rate / all),
        "health_ms": health, "health_ms_before": calm,
        "goals": {"of_raw": 0.9, "health_ms_p99": 100},
    })
}

fn round(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

/// All users sign in repeatedly; returns how many succeeded per second, how many failed, how long each took, and the
/// server's health meanwhile.
async fn storm(server: &Server, emails: &[String], seconds: f64) -> (f64, u64, Value, Value) {
    let (over, others) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let started = Instant::now();
    let everybody = emails.iter().map(|email| {
        let (over, others) = (over.clone(), others.clone());
        async move {
            let mut taken = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let asked = Instant::now();
                match server.log_in(email, PASSWORD).await.0 {
                    200 => taken.push((asked, Instant::now())),
                    _ => {
                        others.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                }
            }
            taken
        }
    });
    let probing = async {
        let health = health(server, Duration::from_secs_f64(seconds)).await;
        over.store(true, Ordering::Relaxed);
        health
    };
    let (taken, health) = tokio::join!(futures_util::future::join_all(everybody), probing);
    let end = started + Duration::from_secs_f64(seconds);
    let within: Vec<f64> = taken
        .into_iter()
        .flatten()
        .filter(|(_, answered)| *answered <= end)
        .map(|(asked, answered)| (answered - asked).as_secs_f64() * 1_000.0)
        .collect();
    (within.len() as f64 / seconds, others.load(Ordering::Relaxed), spread(within), health)
}

/// The latency of the server's health check, requested repeatedly on a connection of its own.
async fn health(server: &Server, time: Duration) -> Value {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let (started, mut taken) = (Instant::now(), Vec::new());
    while started.elapsed() < time {
        let asked = Instant::now();
        let answer = http.get(format!("{}/health", server.url)).send().await.unwrap();
        assert!(answer.status().is_success());
        answer.bytes().await.unwrap();
        taken.push(ms(asked));
        tokio::time::sleep(PROBE).await;
    }
    spread(taken)
}

/// Hashes per second of Argon2id alone with the platform's parameters, on so many otherwise idle threads.
fn bare(threads: usize, seconds: f64) -> f64 {
    let started = Instant::now();
    let hashing = (0..threads).map(|_| {
        std::thread::spawn(move || {
            let params = Params::new(19_456, 2, 1, Some(32)).unwrap();
            let mut memory = vec![Block::default(); params.block_count()];
            let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let (mut hashes, mut digest) = (0_u32, [0; 32]);
            while started.elapsed().as_secs_f64() < seconds {
                argon
                    .hash_password_into_with_memory(PASSWORD.as_bytes(), b"0123456789abcdef", &mut digest, &mut memory)
                    .unwrap();
                hashes += 1;
            }
            f64::from(hashes) / started.elapsed().as_secs_f64()
        })
    });
    let hashing: Vec<_> = hashing.collect();
    hashing.into_iter().map(|thread| thread.join().unwrap()).sum()
}
