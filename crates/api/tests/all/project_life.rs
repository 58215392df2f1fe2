//! Projects on hold, at their end, and in other hands.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::world::{World, agent};

async fn id_of(world: &World, token: &str) -> Value {
    world.get("/api/v1/auth/me").by(token).send().await.expect(200)["id"].clone()
}

fn agent_in(project: &str) -> Value {
    let mut body = agent("Greeter");
    body["project_id"] = json!(project);
    body
}

#[actix_web::test]
async fn a_suspended_project_is_read_and_nothing_else() {
    let world = World::new();
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    world.acquaint(&ada, &eve).await;
    let project = world.project(&ada).await;
    let path = format!("/api/v1/projects/{project}");
    let made = world.post("/api/v1/agents").by(&ada).json(&agent_in(&project)).send().await.expect(201);
    let suspended = world.post(&format!("{path}/suspend")).by(&ada).send().await.expect(200);
    assert_eq!(suspended["status"], "suspended");
    let agent_path = format!("/api/v1/agents/{}", made["id"].as_str().unwrap());
    world.get(&agent_path).by(&ada).send().await.expect(200);
    let run = world.post(&format!("{agent_path}/execute")).by(&ada).json(&json!({"input": {}})).send().await;
    run.refused(409, "project.suspended");
    world.post(&format!("{agent_path}/pause")).by(&ada).send().await.refused(409, "project.suspended");
    let member = json!({"email": "eve@example.org", "role": "viewer"});
    world.post(&format!("{path}/members")).by(&ada).json(&member).send().await.refused(409, "project.suspended");
    let key = json!({"name": "deploy", "role": "viewer", "expires_at": "2026-06-01T00:00:00Z"});
    world.post(&format!("{path}/api-keys")).by(&ada).json(&key).send().await.refused(409, "project.suspended");
    world.post(&format!("{path}/resume")).by(&ada).send().await.expect(200);
    world.post(&format!("{agent_path}/pause")).by(&ada).send().await.expect(200);
}

#[actix_web::test]
async fn an_archived_project_stays_archived() {
    let world = World::new();
    let ada = world.person("ada").await;
    let project = world.project(&ada).await;
    let path = format!("/api/v1/projects/{project}");
    assert_eq!(world.post(&format!("{path}/archive")).by(&ada).send().await.expect(200)["status"], "archived");
    world.post(&format!("{path}/resume")).by(&ada).send().await.refused(409, "project.archived");
    world.post("/api/v1/agents").by(&ada).json(&agent_in(&project)).send().await.refused(409, "project.archived");
    world.get(&path).by(&ada).send().await.expect(200);
}

#[actix_web::test]
async fn only_owners_put_a_project_on_hold() {
    let world = World::new();
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let path = format!("/api/v1/projects/{}", world.project(&ada).await);
    world.post(&format!("{path}/suspend")).by(&eve).send().await.refused(404, "not_found");
    world.acquaint(&ada, &eve).await;
    let member = json!({"email": "eve@example.org", "role": "maintainer"});
    world.post(&format!("{path}/members")).by(&ada).json(&member).send().await.expect(201);
    world.post(&format!("{path}/suspend")).by(&eve).send().await.refused(403, "forbidden");
}

#[actix_web::test]
async fn a_project_changes_hands() {
    let world = World::new();
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let path = format!("/api/v1/projects/{}", world.project(&ada).await);
    let to = json!({"user_id": id_of(&world, &eve).await});
    world.post(&format!("{path}/transfer")).by(&ada).json(&to).send().await.refused(409, "project.not_member");
    world.acquaint(&ada, &eve).await;
    let member = json!({"email": "eve@example.org", "role": "viewer"});
    world.post(&format!("{path}/members")).by(&ada).json(&member).send().await.expect(201);
    world.post(&format!("{path}/transfer")).by(&ada).json(&to).send().await.expect(200);
    world.post(&format!("{path}/suspend")).by(&ada).send().await.refused(403, "forbidden");
    world.post(&format!("{path}/suspend")).by(&eve).send().await.expect(200);
}

#[actix_web::test]
async fn a_project_goes_by_another_name() {
    let world = World::new();
    let ada = world.person("ada").await;
    let path = format!("/api/v1/projects/{}", world.project(&ada).await);
    let renamed = world.call(Method::PATCH, &path).by(&ada).json(&json!({"name": "Upstream"})).send().await.expect(200);
    assert_eq!((renamed["name"].as_str(), renamed["slug"].as_str()), (Some("Upstream"), Some("upstream")));
}
