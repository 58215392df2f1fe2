//! Verbs that look after what is kept: projections and the log's integrity.

use std::{path::Path, time::Duration};

use devskyy_application::es::{Checkpoints as _, Halt};
use devskyy_infrastructure::{es::SqlCheckpoints, sql::Database};
use reqwest::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::{
    client::Client,
    program::{devskyy, ended, fails},
    server::Server,
};

/// A data directory in which somebody has worked.
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
    assert!(code == 0 && out.contains("runs.children goes on"), "{out}{error}");
}

/// Stops a subscription of a data directory, as a reaction does that fails for good.
async fn stopped(place: &Path) {
    let url = format!("sqlite://{}/devskyy-data/devskyy.db", place.display());
    let database = Database::connect(&url, 1).await.unwrap();
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
    let told = out.contains("somebody.reads stopped before 7: it cannot be read; this version does not run it");
    assert!((code, told, error.lines().count()) == (1, true, 1), "{out}{error}");
}

#[tokio::test]
async fn a_subscription_that_stopped_is_told_by_name_where_operators_look_first() {
    let place = tempfile::tempdir().unwrap();
    worked_in(place.path()).await;
    stopped(place.path()).await;
    let server = Server::start(place.path());
    let health = Client::stranger(&server.url).get("/health/ready").await.expect(StatusCode::OK);
    let check = json!({"name": "subscriptions", "ok": false,
                       "detail": "stopped: somebody.reads; `devskyy subscriptions` says why"});
    let told = health["checks"].as_array().unwrap().contains(&check);
    assert!(health["status"] == "degraded" && told, "{health:#}");
}
