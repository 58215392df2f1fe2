//! Processes that carry runs out and answer no requests.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    client::Client,
    clustered::Fresh,
    program::{devskyy, fails},
    running::{doubling, reaching},
    server::PATIENCE,
    tracker::Tracker,
};

/// A running worker. It is killed when this is dropped.
pub(crate) struct Worker {
    child: Child,
    log: PathBuf,
}

impl Worker {
    /// Starts a worker on a database, with its log in a directory, and waits until it is ready.
    pub(crate) fn start(directory: &Path, database: &Fresh, tracker: &Tracker) -> Self {
        Self::start_with(directory, database, tracker, |_| {})
    }

    /// Starts a worker after a last change to its command.
    pub(crate) fn start_with(
        directory: &Path,
        database: &Fresh,
        tracker: &Tracker,
        change: impl FnOnce(&mut Command),
    ) -> Self {
        std::fs::create_dir_all(directory).unwrap();
        let log = directory.join("log.jsonl");
        // A worker that came before has said that it is ready.
        let opened = std::fs::File::create(&log).unwrap();
        let mut command = devskyy(directory);
        command.args(["worker", "--set", "runs.lease_s=2"]).stdout(Stdio::null()).stderr(opened);
        reaching(tracker)(&mut command);
        database.choose(&mut command);
        change(&mut command);
        let worker = Self { child: command.spawn().unwrap(), log };
        let started = Instant::now();
        while !worker.said().contains("ready") {
            assert!(started.elapsed() < PATIENCE, "the worker does not start: {}", worker.said());
            std::thread::sleep(Duration::from_millis(20));
        }
        worker
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Sends the process a signal, for example `-TERM`.
    pub(crate) fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Waits for the process to end, and gives its exit code.
    pub(crate) fn ended(mut self) -> Option<i32> {
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(asked.elapsed() < PATIENCE, "the worker does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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
    let _worker = Worker::start(&place.path().join("worker"), &database, &tracker);

    let run = ada.execute(&agent, &json!({"numbers": [1, 2, 3]})).await;

    assert_eq!(ada.run_ended(&run).await["output"]["sum"], 12);
}
