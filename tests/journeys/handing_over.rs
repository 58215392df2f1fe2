//! A process that is asked to stop hands its runs over. Leases last ten minutes here, so only this continues a run.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};

use crate::{
    client::Client, clustered::Fresh, running::reaching, server::Server, tracker::Tracker, workers::worker_with,
};

/// Longer than anything here may take.
const LEASE: &str = "runs.lease_s=600";
/// Longer than background work had to end before runs had a timeout of their own.
const LONG: Duration = Duration::from_secs(6);

/// Files one ticket.
pub(crate) fn filing(tracker: &Tracker, effect: &str) -> Value {
    let mut tool = tracker.tool();
    tool["effect"] = effect.into();
    tool["request"]["timeout_s"] = 60.into();
    json!({
        "tools": {"file_ticket": tool},
        "steps": [{"id": "filed", "tool": "file_ticket", "arguments": {"run": {"$jq": ".run.id"}}}],
        "output": {"$jq": ".steps.filed.output.body.ticket"}
    })
}

/// A server whose calls have so many seconds to end once it is asked to stop.
pub(crate) fn server(directory: &Path, tracker: &Tracker, drain: u32) -> Server {
    Server::start_with(directory, |command| {
        reaching(tracker)(command);
        command.args(["--set", LEASE, "--set", &format!("runs.drain_timeout_s={drain}")]);
    })
}

/// Returns once the tracker has received so many requests.
pub(crate) async fn requested(tracker: &Tracker, requests: usize) {
    for _ in 0..1_000 {
        if tracker.requests() >= requests {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the tracker is never asked");
}

/// A run whose call was in progress when its server was asked to stop, on the next server.
async fn stopped_amid_a_call(tracker: &Tracker, effect: &str, drain: u32, states: &[&str]) -> Value {
    let place = tempfile::tempdir().unwrap();
    let one = server(place.path(), tracker, drain);
    let ada = Client::administrator(&one).await;
    let agent = ada.agent("Filer", &filing(tracker, effect)).await;
    let run = ada.execute(&agent, &json!({})).await;
    requested(tracker, 1).await;
    one.signal("-TERM");
    let (code, took) = tokio::task::block_in_place(|| one.ended());
    assert!(code == Some(0) && took < Duration::from_secs(30), "{code:?} after {took:?}");
    let other = server(place.path(), tracker, drain);
    ada.at(&other.url).run_in(&run, states).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_ends_in_its_time_is_not_made_again() {
    let tracker = Tracker::start(LONG).await;
    let run = stopped_amid_a_call(&tracker, "unsafe", 20, &["completed", "failed", "waiting"]).await;
    assert_eq!((&run["status"], tracker.requests()), (&json!("completed"), 1), "{run:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_may_be_repeated_and_takes_longer_is_made_again_at_once() {
    let tracker = Tracker::start(LONG).await;
    let run = stopped_amid_a_call(&tracker, "idempotent", 1, &["completed", "failed", "waiting"]).await;
    assert_eq!((&run["status"], tracker.requests(), tracker.tickets().len()), (&json!("completed"), 2, 1), "{run:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_must_not_be_repeated_and_takes_longer_waits_for_a_verdict() {
    let tracker = Tracker::start(LONG).await;
    let run = stopped_amid_a_call(&tracker, "unsafe", 1, &["completed", "failed", "waiting"]).await;
    assert_eq!((&run["waiting_for"], tracker.requests()), (&json!(["reconcile"]), 1), "{run:#}");
}

/// Two workers on one PostgreSQL, the first of which is asked to stop during a call of each run; returns how many runs
/// there were, and how many of them ended well and soon.
async fn two_workers(tracker: &Tracker, drain: &str) -> (usize, usize) {
    let (place, database) = (tempfile::tempdir().unwrap(), Fresh::make());
    let accepting = database.accepting(&place.path().join("server"), tracker);
    let ada = Client::administrator(&accepting).await;
    let agent = ada.agent("Filer", &filing(tracker, "idempotent")).await;
    let patient = |command: &mut std::process::Command| {
        command.args(["--set", LEASE, "--set", drain]);
    };
    let one = worker_with(&place.path().join("one"), &database, tracker, patient);
    let mut runs = Vec::new();
    for number in 0..4 {
        runs.push(ada.execute(&agent, &json!(number)).await);
    }
    requested(tracker, runs.len()).await;
    let _other = worker_with(&place.path().join("other"), &database, tracker, patient);
    one.signal("-TERM");
    let began = std::time::Instant::now();
    assert_eq!(tokio::task::block_in_place(|| one.ended()).0, Some(0));
    let mut well = 0;
    for run in &runs {
        let ended = ada.run_ended(run).await;
        // A worker that is not woken looks at the queue every 30 seconds.
        well += usize::from(ended["status"] == "completed" && began.elapsed() < Duration::from_secs(14));
    }
    (runs.len(), well)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_worker_that_is_asked_to_stop_lets_its_calls_end() {
    let tracker = Tracker::start(LONG).await;
    let (runs, well) = two_workers(&tracker, "runs.drain_timeout_s=20").await;
    assert_eq!((well, tracker.requests()), (runs, runs));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn a_worker_that_must_stop_at_once_wakes_the_other() {
    let tracker = Tracker::start(Duration::from_secs(3)).await;
    let (runs, well) = two_workers(&tracker, "runs.drain_timeout_s=0").await;
    assert_eq!((well, tracker.requests(), tracker.tickets().len()), (runs, 2 * runs, runs));
}
