//! The cost of signing in and of authentication: log-ins per second beside bare Argon2, the delay of other requests
//! meanwhile, and the check of a bearer token. Every figure has its baseline in the same run. Prints one JSON object.
//!
//! `cargo bench -p devskyy-server --bench sign_in -- [--seconds 10] [--clients 200]`
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that fails says where")]

mod bearer;
mod server;
mod storm;
mod timing;

use serde_json::json;

use server::{Server, option};

fn main() {
    let (seconds, clients) = (option("--seconds", 10.0), option("--clients", 200.0) as usize);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let report = runtime.block_on(async {
        let server = Server::start();
        let admin = server.administrator().await;
        let timing = timing::measure(&server, &admin).await;
        let bearer = bearer::measure(&server, &admin).await;
        let storm = storm::measure(&server, clients, seconds).await;
        json!({"bench": "sign_in", "bearer": bearer, "logins": storm, "timing_ms": timing})
    });
    println!("{report:#}");
}
