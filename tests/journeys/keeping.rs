//! Verbs that look after what is kept: projections and the log's integrity.

use reqwest::StatusCode;
use serde_json::json;

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
