//! Commands that maintain stored data: projections and the log's integrity.

use std::{path::Path, time::Duration};

use devskyy_application::es::{Checkpoints as _, Halt, SetAside as _};
use devskyy_infrastructure::{
    es::{SqlCheckpoints, SqlSetAside},
    sql::Database,
};
use reqwest::StatusCode;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    client::Client,
    program::{devskyy, ended, fails},
    server::Server,
};

/// A data directory with some content.
async fn worked_in(place: &std::path::Path) {
    let server = Server::start(place);
    let ada = Client::administrator(&server).await;
    ada.post("/api/v1/projects", &json!({"name": "Compiler"})).await.expect(StatusCode::CREATED);
    server.signal("-TERM");
    server.ended();
}

#[tokio::test]
async fn a_sound_log_is_verified() {
    let place = tempfile::tempdir().unwrap();
    worked_in(place.path()).await;
    let (code, out, error) = ended(devskyy(place.path()).arg("verify"));
    assert_eq!(code, 0, "{out}{error}");
}

#[test]
fn verifying_nothing_says_where_it_looked() {
    let place = tempfile::tempdir().unwrap();
    fails(devskyy(place.path()).arg("verify"), 1, &["devskyy-data", "--data-dir"]);
    assert!(!place.path().join("devskyy-data").exists());
}

#[tokio::test]
async fn projections_are_rebuilt_from_the_log() {
    let place = tempfile::tempdir().unwrap();
    worked_in(place.path()).await;
    for arguments in [&["projections", "rebuild"][..], &["projections", "rebuild", "projects"], &["verify"]] {
        let (code, out, error) = ended(devskyy(place.path()).args(arguments));
        assert_eq!(code, 0, "{arguments:?} {out}{error}");
    }
}

#[tokio::test]
async fn an_unknown_projection_is_told_with_those_there_are() {
    let place = tempfile::tempdir().unwrap();
    worked_in(place.path()).await;
    fails(devskyy(place.path()).args(["projections", "rebuild", "nothing"]), 1, &["nothing", "projects"]);
}

#[tokio::test]
async fn subscriptions_that_go_on_are_told_with_how_far_they_are() {
    let place = tempfile::tempdir().unwrap();
    worked_in(place.path()).await;
    let (code, out, error) = ended(devskyy(place.path()).arg("subscriptions"));
    assert!(code == 0 && out.contains("runs.children runs, is at"), "{out}{error}");
}

async fn opened(place: &Path) -> Database {
    let url = format!("sqlite://{}/devskyy-data/devskyy.db", place.display());
    Database::connect(&url, 1).await.unwrap()
}

/// Stops a subscription of a data directory, like a reaction that fails permanently.
async fn stopped(place: &Path) {
    let database = opened(place).await;
    let checkpoints = SqlCheckpoints::new(database.clone());
    let lease = checkpoints.claim("somebody.reads", Uuid::nil(), Duration::from_secs(60)).await.unwrap().unwrap();
    assert!(checkpoints.halt(&lease, 7, Halt::Stopped("it cannot be read")).await.unwrap());
    database.close().await;
}

#[tokio::test]
async fn a_subscription_that_stopped_is_told_with_its_place_and_reason() {
    let place = tempfile::tempdir().unwrap();
    worked_in(place.path()).await;
    stopped(place.path()).await;
    let (code, out, error) = ended(devskyy(place.path()).arg("subscriptions"));
    let told = out.contains("somebody.reads stopped before 7: it cannot be read; not part of this version");
    assert!((code, told, error.lines().count()) == (1, true, 1), "{out}{error}");
}

#[tokio::test]
async fn an_operator_has_a_subscription_go_on() {
    let place = tempfile::tempdir().unwrap();
    worked_in(place.path()).await;
    stopped(place.path()).await;
    let resume = ["subscriptions", "resume", "somebody.reads", "--after", "1"];
    let (code, out, error) = ended(devskyy(place.path()).args(resume));
    assert!(code == 0 && out.contains("somebody.reads resumes after 1"), "{out}{error}");
    let (code, out, error) = ended(devskyy(place.path()).arg("subscriptions"));
    assert!(code == 0 && out.contains("somebody.reads runs, is at 1 of"), "{out}{error}");
}

#[tokio::test]
async fn a_subscription_that_is_not_there_does_not_go_on() {
    let place = tempfile::tempdir().unwrap();
    worked_in(place.path()).await;
    let resume = ["subscriptions", "resume", "nobody.reads", "--after", "1"];
    fails(devskyy(place.path()).args(resume), 1, &["nobody.reads", "devskyy subscriptions"]);
}

/// Quarantines an event of a subscription of this version, for an hour.
async fn set_aside(place: &Path) {
    let database = opened(place).await;
    let aside = SqlSetAside::new(database.clone());
    aside.put("runs.children", 1, "it cannot be read", Duration::from_secs(3_600)).await.unwrap();
    database.close().await;
}

#[tokio::test]
async fn an_event_that_was_set_aside_is_told_with_its_place_and_reason() {
    let place = tempfile::tempdir().unwrap();
    worked_in(place.path()).await;
    set_aside(place.path()).await;
    let (code, out, error) = ended(devskyy(place.path()).arg("subscriptions"));
    assert!(code == 1 && out.contains("runs.children set aside 1: it cannot be read"), "{out}{error}");
}

/// Changes the times at which events were recorded.
async fn recorded(place: &Path, when: &str) {
    let database = opened(place).await;
    let change =
        format!("DROP TRIGGER es_events_are_not_changed; UPDATE es_events SET recorded_at = recorded_at {when}");
    database.writer.execute_unprepared(&change).await.unwrap();
    database.close().await;
}

/// Resets a subscription, with its lease held by a process that does nothing.
async fn held(place: &Path) {
    let database = opened(place).await;
    let change = "UPDATE es_subscriptions SET position = 0, hash = NULL, fence = fence + 1, \
                  owner = x'00000000000000000000000000000001', lease_until = 9e18 WHERE name = 'runs.archived'";
    database.writer.execute_unprepared(change).await.unwrap();
    database.close().await;
}

/// The health of a server, and of one check.
async fn told(place: &Path, check: &str) -> (String, Value) {
    asked(&Server::start(place), check).await
}

async fn asked(server: &Server, check: &str) -> (String, Value) {
    let health = Client::stranger(&server.url).get("/health/ready").await.expect(StatusCode::OK);
    let found = health["checks"].as_array().unwrap().iter().find(|told| told["name"] == check).cloned();
    (health["status"].as_str().unwrap().to_owned(), found.unwrap()["detail"].clone())
}

#[tokio::test]
async fn a_subscription_that_stopped_is_told_by_name_where_operators_look_first() {
    let place = tempfile::tempdir().unwrap();
    worked_in(place.path()).await;
    stopped(place.path()).await;
    let detail = json!("stopped: somebody.reads; `devskyy subscriptions` shows why");
    assert_eq!(told(place.path(), "subscriptions").await, ("degraded".to_owned(), detail));
}

#[tokio::test]
async fn a_subscription_that_set_something_aside_is_told_where_operators_look_first() {
    let place = tempfile::tempdir().unwrap();
    worked_in(place.path()).await;
    set_aside(place.path()).await;
    let detail = json!("set events aside: runs.children; `devskyy subscriptions` shows why");
    assert_eq!(told(place.path(), "subscriptions").await, ("degraded".to_owned(), detail));
}

#[tokio::test]
async fn a_subscription_that_is_behind_is_told_where_operators_look_first() {
    let place = tempfile::tempdir().unwrap();
    worked_in(place.path()).await;
    recorded(place.path(), "- 60000000").await;
    let server = Server::start(place.path());
    held(place.path()).await;
    let detail = json!("behind: runs.archived; `devskyy subscriptions` shows why");
    assert_eq!(asked(&server, "subscriptions").await, ("degraded".to_owned(), detail));
}

#[tokio::test]
async fn times_of_the_future_are_told_where_operators_look_first() {
    let place = tempfile::tempdir().unwrap();
    worked_in(place.path()).await;
    recorded(place.path(), "+ 3600000000").await;
    let (status, detail) = told(place.path(), "clock").await;
    let said = detail.as_str().unwrap_or_default().starts_with("the newest event bears a time 3");
    assert!(status == "degraded" && said, "{status} {detail}");
}
