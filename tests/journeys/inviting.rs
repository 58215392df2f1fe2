use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{
    client::{Client, PASSWORD},
    server::Server,
};

/// A person who registers.
async fn person(server: &Server, name: &str) -> Client {
    let stranger = Client::stranger(&server.url);
    let email = format!("{name}@example.com");
    let body = json!({"email": email, "password": PASSWORD, "name": name});
    stranger.post("/api/v1/auth/register", &body).await.expect(StatusCode::CREATED);
    stranger.signed_in(&email).await
}

#[tokio::test]
async fn somebody_is_invited_registers_and_belongs_to_the_project_across_a_power_failure() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    let ada = Client::administrator(&server).await;
    let project = ada.post("/api/v1/projects", &json!({"name": "Compiler"})).await.expect(StatusCode::CREATED);
    let project = format!("/api/v1/projects/{}", project["id"].as_str().unwrap());
    let wish = json!({"email": "grace@example.com", "role": "operator"});
    let invited = ada.post(&format!("{project}/invitations"), &wish).await.expect(StatusCode::CREATED);
    server.kill();

    let server = Server::start(place.path());
    let grace = person(&server, "grace").await;
    let own = grace.get("/api/v1/invitations").await.expect(StatusCode::OK);
    assert_eq!(own["items"][0]["id"], invited["id"], "{own}");
    let answer = format!("/api/v1/invitations/{}/accept", invited["id"].as_str().unwrap());
    grace.post(&answer, &json!({})).await.expect(StatusCode::NOT_FOUND);
    grace.post(&answer, &json!({"token": invited["token"]})).await.expect(StatusCode::OK);
    server.kill();

    let server = Server::start(place.path());
    grace.at(&server.url).get(&project).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_declined_and_a_withdrawn_invitation_let_nobody_in() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::start(place.path());
    let ada = Client::administrator(&server).await;
    let grace = person(&server, "grace").await;
    let project = ada.post("/api/v1/projects", &json!({"name": "Compiler"})).await.expect(StatusCode::CREATED);
    let project = format!("/api/v1/projects/{}", project["id"].as_str().unwrap());
    let wish = json!({"email": "grace@example.com", "role": "operator"});
    for withdrawn in [false, true] {
        let invited = ada.post(&format!("{project}/invitations"), &wish).await.expect(StatusCode::CREATED);
        let id = invited["id"].as_str().unwrap();
        if withdrawn {
            let gone = ada.request(Method::DELETE, &format!("{project}/invitations/{id}")).send().await.unwrap();
            assert_eq!(gone.status(), StatusCode::NO_CONTENT);
        } else {
            grace.post(&format!("/api/v1/invitations/{id}/decline"), &json!({})).await.expect(StatusCode::OK);
        }
        let answer = format!("/api/v1/invitations/{id}/accept");
        grace.post(&answer, &json!({"token": invited["token"]})).await.expect(StatusCode::NOT_FOUND);
    }
    grace.get(&project).await.expect(StatusCode::NOT_FOUND);
}
