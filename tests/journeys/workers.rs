//! Processes that execute runs and serve no requests.

use std::{path::Path, process::Command, time::Duration};

use serde_json::json;

use crate::{
    client::Client,
    clustered::Fresh,
    process::Process,
    program::{devskyy, fails},
    running::{doubling, reaching},
    tracker::Tracker,
};

/// Starts a worker on a database, with its log in a directory, and waits until it is ready.
pub(crate) fn worker(directory: &Path, database: &Fresh, tracker: &Tracker) -> Process {
    worker_with(directory, database, tracker, |_| {})
}

/// Starts a worker after a last change to its command.
pub(crate) fn worker_with(
    directory: &Path,
    database: &Fresh,
    tracker: &Tracker,
    change: impl FnOnce(&mut Command),
) -> Process {
    let mut command = devskyy(directory);
    command.args(["worker", "--set", "runs.lease_s=2"]);
    reaching(tracker)(&mut command);
    database.choose(&mut command);
    change(&mut command);
    let process = Process::start(&mut command, directory);
    process.until_said("ready");
    process
}

#[test]
fn a_worker_on_sqlite_is_refused_in_one_line() {
    let place = tempfile::tempdir().unwrap();
    fails(devskyy(place.path()).arg("worker"), 78, &["SQLite", "database.url"]);
}

#[test]
fn a_worker_that_may_execute_nothing_is_refused_in_one_line() {
    let place = tempfile::tempdir().unwrap();
    let mut command = devskyy(place.path());
    command.args(["worker", "--database-url", "postgres://127.0.0.1:1/none", "--set", "runs.concurrency=0"]);
    fails(&mut command, 78, &["runs.concurrency"]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_worker_carries_out_what_a_server_that_executes_nothing_accepts() {
    let (place, tracker, database) =
        (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await, Fresh::make());
    let server = database.accepting(&place.path().join("server"), &tracker);
    let ada = Client::administrator(&server).await;
    let agent = ada.agent("Doubler", &doubling(&tracker)).await;
    let _worker = worker(&place.path().join("worker"), &database, &tracker);

    let run = ada.execute(&agent, &json!({"numbers": [1, 2, 3]})).await;

    assert_eq!(ada.run_ended(&run).await["output"]["sum"], 12);
}
