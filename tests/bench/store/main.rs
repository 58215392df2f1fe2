//! The cost of the log: durable appends, replay, rebuild and loading, each beside its baseline in the same run. Prints
//! one JSON object.
//!
//! `cargo bench -p devskyy-tests --bench store -- [--seconds 1.5] [--rounds 3] [--events 1000000]`; includes PostgreSQL
//! if `DEVSKYY_TEST_POSTGRES_URL` names a server that allows 280 connections. `--engine sqlite|postgres`,
//! `--clients N` and `--seconds 0` or `--events 0` measure less.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement that fails says where"
)]

mod append;
mod raw;
mod replay;
mod rig;

use rig::{Engine, option};

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut report = serde_json::Map::new();
        let (seconds, rounds) = (option("--seconds", 1.5), option("--rounds", 3.0) as usize);
        let events = option("--events", 1_000_000.0) as u64;
        let clients = match option("--clients", 0.0) as usize {
            0 => vec![1, 16, 64, 256],
            some => vec![some],
        };
        for engine in Engine::available() {
            let mut of_engine = serde_json::Map::new();
            if seconds > 0.0 {
                eprintln!("{}: appends", engine.name());
                of_engine.insert("appends".to_owned(), append::measure(engine, &clients, seconds, rounds).await);
            }
            if events > 0 {
                eprintln!("{}: replay", engine.name());
                of_engine.insert("replay".to_owned(), replay::measure(engine, events, rounds).await);
            }
            report.insert(engine.name().to_owned(), of_engine.into());
        }
        println!("{}", serde_json::to_string_pretty(&report).unwrap());
    });
}
