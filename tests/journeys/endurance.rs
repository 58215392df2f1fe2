//! What is guaranteed when a process ends: power failures, restarts, graceful ends.

use std::{process::Command, time::Duration};

use devskyy_testkit::chance::Chance;
use serde_json::{Value, json};

use crate::{
    client::Client,
    clustered::Fresh,
    program::{devskyy, ended},
    running::{doubling, reaching},
    server::Server,
    tracker::Tracker,
};

/// How often the process is killed.
const KILLS: u32 = 50;
/// How many runs, two for each kill, are started before they can end: the platform ends a run that was claimed without
/// progress more than ten times in a row.
const AT_ONCE: usize = 10;

/// Several tickets at once, after some thinking.
fn filing(tracker: &Tracker) -> Value {
    json!({
        "tools": {"file_ticket": tracker.tool()},
        "steps": [
            {"id": "listed", "tool": "jq", "arguments": {"program": "[range(4)]", "input": null}},
            {"id": "filed", "needs": ["listed"], "for_each": ".steps.listed.output", "tool": "file_ticket",
             "arguments": {"run": {"$jq": ".run.id"}, "part": {"$jq": ".index"}}},
            {"id": "counted", "needs": ["filed"], "tool": "jq",
             "arguments": {"program": "length", "input": {"$jq": ".steps.filed.output"}}}
        ],
        "output": {"$jq": ".steps.counted.output"}
    })
}

/// Kills the process of a server repeatedly while it executes runs, on the database that every command is given.
async fn runs_survive_kills(choose: impl Fn(&mut Command)) {
    let (place, tracker) = (tempfile::tempdir().unwrap(), Tracker::start(Duration::from_millis(15)).await);
    let start = || {
        Server::start_with(place.path(), |command| {
            reaching(&tracker)(command);
            choose(command);
        })
    };
    let mut server = start();
    let mut ada = Client::administrator(&server).await;
    let agent = ada.agent("Filer", &filing(&tracker)).await;
    let (mut chance, mut runs) = (Chance::drawn(), Vec::new());
    for kill in 0..KILLS {
        runs.push(ada.execute(&agent, &json!({"kill": kill})).await);
        runs.push(ada.execute(&agent, &json!({"kill": kill})).await);
        tokio::time::sleep(Duration::from_millis(chance.below(150))).await;
        server.kill();
        server = start();
        ada = ada.at(&server.url);
        if runs.len().is_multiple_of(AT_ONCE) {
            for run in runs.iter().rev().take(AT_ONCE) {
                let ended = ada.run_ended(run).await;
                assert_eq!((&ended["status"], &ended["output"]), (&json!("completed"), &json!(4)), "{ended:#}");
            }
        }
    }
    let mut asked: Vec<String> = tracker.tickets().iter().map(|ticket| ticket["asked"].to_string()).collect();
    asked.sort();
    asked.dedup();
    let filed = (tracker.tickets().len(), asked.len(), tracker.bare());
    assert_eq!(filed, (runs.len() * 4, runs.len() * 4, 0));
    server.signal("-TERM");
    server.ended();
    let mut verify = devskyy(place.path());
    choose(verify.arg("verify"));
    let (code, out, error) = ended(&mut verify);
    assert_eq!(code, 0, "{out}{error}");
}

#[tokio::test]
async fn every_run_ends_right_and_files_each_ticket_once_however_often_the_process_is_killed() {
    runs_survive_kills(|_| {}).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn every_run_on_postgres_ends_right_and_files_each_ticket_once_however_often_the_process_is_killed() {
    let database = Fresh::make();
    runs_survive_kills(|command| database.choose(command)).await;
}

#[tokio::test]
async fn a_run_under_way_is_handed_over_when_the_server_is_asked_to_stop() {
    let (place, tracker) = (tempfile::tempdir().unwrap(), Tracker::start(Duration::from_millis(300)).await);
    // Only a hand-over lets the run continue before the journey gives up.
    let patient = |place: &tempfile::TempDir, tracker: &Tracker| {
        Server::start_with(place.path(), |command| {
            reaching(tracker)(command);
            command.args(["--set", "runs.lease_s=600"]);
        })
    };
    let server = patient(&place, &tracker);
    let ada = Client::administrator(&server).await;
    let agent = ada.agent("Filer", &filing(&tracker)).await;
    let run = ada.execute(&agent, &json!({})).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.signal("-TERM");
    let (code, took) = server.ended();
    assert!(code == Some(0) && took < Duration::from_secs(30), "{code:?} after {took:?}");

    let server = patient(&place, &tracker);
    let ended = ada.at(&server.url).run_ended(&run).await;

    assert_eq!((&ended["status"], tracker.tickets().len()), (&json!("completed"), 4));
}

#[tokio::test]
async fn an_open_event_stream_does_not_hold_the_end_up() {
    let (place, tracker) = (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await);
    let server = Server::start_with(place.path(), reaching(&tracker));
    let ada = Client::administrator(&server).await;
    let agent = ada.agent("Doubler", &doubling(&tracker)).await;
    let run = ada.execute(&agent, &json!({"numbers": [60]})).await;
    ada.run_in(&run, &["waiting"]).await;
    let watching = tokio::spawn({
        let (ada, run) = (ada.clone(), run.clone());
        async move { ada.watch(&run, None, "never").await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;

    server.signal("-TERM");
    let (code, took) = tokio::task::spawn_blocking(move || server.ended()).await.unwrap();

    assert!(code == Some(0) && took < Duration::from_secs(10), "{code:?} after {took:?}");
    assert!(!watching.await.unwrap().is_empty());
}
