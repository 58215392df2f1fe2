//! What the log costs: durable appends, replay, rebuild and loading, each beside its baseline in the same run. Prints one
//! JSON object.
//!
//! `cargo bench -p devskyy-tests --bench store -- [--seconds 1.5] [--rounds 3] [--events 1000000]`; PostgreSQL takes part
//! where `DEVSKYY_TEST_POSTGRES_URL` names a server.
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

use serde_json::json;

use rig::{Engine, option};

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut report = serde_json::Map::new();
        for engine in Engine::available() {
            eprintln!("{}: appends", engine.name());
            let appends = append::measure(engine, option("--seconds", 1.5), option("--rounds", 3.0) as usize).await;
            eprintln!("{}: replay", engine.name());
            let replay = replay::measure(engine, option("--events", 1_000_000.0) as u64).await;
            report.insert(engine.name().to_owned(), json!({ "appends": appends, "replay": replay }));
        }
        println!("{}", serde_json::to_string_pretty(&report).unwrap());
    });
}
