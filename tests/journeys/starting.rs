//! Servers that are stopped before they are ready, that get a second signal, and that start again after a kill.

use std::{net::TcpListener, path::Path, process::Command, time::Duration};

use devskyy_infrastructure::sql::Database;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::{
    client::Client,
    clustered::Fresh,
    handing_over::{filing, requested, server},
    process::Process,
    program::devskyy,
    tracker::Tracker,
};

/// Key of the advisory lock that a migration holds.
const TURN: i64 = 0x6465_7673_6b79_7901;
/// The duration of a call that is in progress when its server ends.
const LONG: Duration = Duration::from_secs(20);

fn serving(directory: &Path) -> Command {
    let mut command = devskyy(directory);
    command.args(["serve", "--port", "0"]);
    command
}

/// How a process ends that is stopped while its database does not respond.
fn stopped_while_it_connects(arguments: &[&str], signal: &str) -> Option<i32> {
    let place = tempfile::tempdir().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://ada@{}/sky", silent.local_addr().unwrap());
    let mut command = devskyy(place.path());
    let process = Process::start(command.args(arguments).env("DEVSKYY_DATABASE__URL", url), place.path());
    process.until_said("connecting");
    process.signal(signal);
    process.ended().0
}

#[test]
fn a_server_that_waits_for_its_database_is_stopped() {
    for signal in ["-TERM", "-INT"] {
        assert_eq!(stopped_while_it_connects(&["serve", "--port", "0"], signal), Some(0), "{signal}");
    }
}

#[test]
fn a_worker_that_waits_for_its_database_is_stopped() {
    assert_eq!(stopped_while_it_connects(&["worker"], "-TERM"), Some(0));
}

#[test]
fn people_are_told_in_a_line_that_a_server_ends_in_order() {
    let place = tempfile::tempdir().unwrap();
    let server = Process::start(serving(place.path()).args(["--log-format", "text"]), place.path());
    server.until_said("ready");
    server.signal("-INT");
    server.until_said("\nstopping; press Ctrl-C again to stop at once\n");
    assert_eq!(server.ended().0, Some(0));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_server_says_that_it_waits_for_another_to_migrate_and_is_stopped_meanwhile() {
    let (place, database) = (tempfile::tempdir().unwrap(), Fresh::make());
    let _hung = database.hold(&format!("SELECT 'held' FROM pg_advisory_lock({TURN});"));
    let mut command = serving(place.path());
    database.choose(&mut command);
    let server = Process::start(&mut command, place.path());
    server.until_said("another process migrates; waiting");
    server.signal("-TERM");
    assert_eq!(server.ended().0, Some(0));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_server_says_that_it_waits_for_a_table() {
    let (place, database) = (tempfile::tempdir().unwrap(), Fresh::make());
    // The first migration cannot be entered into the list of applied ones.
    let _holder = database.hold(
        "CREATE TABLE seaql_migrations (version VARCHAR PRIMARY KEY, applied_at BIGINT NOT NULL); BEGIN; \
         LOCK TABLE seaql_migrations IN SHARE MODE; SELECT 'held';",
    );
    let mut command = serving(place.path());
    database.choose(&mut command);
    let server = Process::start(&mut command, place.path());
    server.until_said("waiting for a table lock");
    server.signal("-INT");
    assert_eq!(server.ended().0, Some(0));
}

/// How a server ends that gets a second signal during a call which has a minute.
async fn told_twice(signal: &str) -> Option<i32> {
    let (place, tracker) = (tempfile::tempdir().unwrap(), Tracker::start(LONG).await);
    let one = server(place.path(), &tracker, 60);
    let ada = Client::administrator(&one).await;
    let agent = ada.agent("Filer", &filing(&tracker, "idempotent")).await;
    ada.execute(&agent, &json!({})).await;
    requested(&tracker, 1).await;
    one.signal(signal);
    one.until_logged("press Ctrl-C again");
    one.signal(signal);
    let (code, took) = tokio::task::block_in_place(|| one.ended());
    assert!(took < LONG, "it waited for the call: {took:?}");
    code
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_interrupted_twice_ends_at_once() {
    assert_eq!(told_twice("-INT").await, Some(130));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_terminated_twice_ends_at_once() {
    assert_eq!(told_twice("-TERM").await, Some(143));
}

/// A run whose process was killed during a call, on the next server. Leases last ten minutes.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_held_goes_on_when_it_is_started_again() {
    let (place, tracker) = (tempfile::tempdir().unwrap(), Tracker::start(Duration::from_secs(1)).await);
    let one = server(place.path(), &tracker, 20);
    let ada = Client::administrator(&one).await;
    let agent = ada.agent("Filer", &filing(&tracker, "idempotent")).await;
    let run = ada.execute(&agent, &json!({})).await;
    requested(&tracker, 1).await;
    one.kill();
    let other = server(place.path(), &tracker, 20);
    assert_eq!(ada.at(&other.url).run_ended(&run).await["status"], "completed");
}

/// Runs another agent and returns its output.
fn asking(agent: &str) -> Value {
    json!({"steps": [{"id": "asked", "agent": agent, "input": {}}], "output": {"$jq": ".steps.asked.output"}})
}

/// If the clock was set back, leases seem to last for years.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_another_run_goes_on_after_a_kill_whatever_the_clock_says() {
    let (place, tracker) = (tempfile::tempdir().unwrap(), Tracker::start(Duration::from_secs(2)).await);
    let one = server(place.path(), &tracker, 20);
    let ada = Client::administrator(&one).await;
    let agent = ada.agent("Filer", &filing(&tracker, "idempotent")).await;
    let asker = ada.agent("Asker", &asking(&agent)).await;
    let run = ada.execute(&asker, &json!({})).await;
    requested(&tracker, 1).await;
    one.kill();
    let url = format!("sqlite://{}/devskyy-data/devskyy.db", place.path().display());
    let database = Database::connect(&url, 1).await.unwrap();
    for held in ["es_subscriptions", "run_leases"] {
        let later = format!("UPDATE {held} SET lease_until = lease_until + 100000000000000 WHERE lease_until > 0");
        database.writer.execute_unprepared(&later).await.unwrap();
    }
    database.close().await;
    let other = server(place.path(), &tracker, 20);
    assert_eq!(ada.at(&other.url).run_ended(&run).await["status"], "completed");
}
