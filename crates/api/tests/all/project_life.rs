//! Suspended, archived and transferred projects.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::{
    owned::Owned,
    world::{World, agent},
};

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

/// A project of Ada's with Eve in a role, after an action on the project; and Eve's path as a member.
async fn shared(role: &str, done: &str) -> (Owned, String, String) {
    let it = Owned::new("members").await;
    let eve = it.acquaintance("eve").await;
    let member = it.join("eve", role).await.header("location").to_owned();
    it.call(Method::POST, &it.path(done)).send().await.expect(200);
    (it, eve, member)
}

#[actix_web::test]
async fn anybody_may_leave_a_project_whatever_became_of_it() {
    for done in ["/suspend", "/archive"] {
        let (it, eve, member) = shared("maintainer", done).await;
        assert_eq!(it.world.call(Method::DELETE, &member).by(&eve).send().await.status, 204);
        it.world.get(&it.path("")).by(&eve).send().await.refused(404, "not_found");
    }
}

#[actix_web::test]
async fn owners_remove_members_of_a_project_whatever_became_of_it() {
    for done in ["/suspend", "/archive"] {
        let (it, _, member) = shared("viewer", done).await;
        assert_eq!(it.call(Method::DELETE, &member).send().await.status, 204);
        let left = it.call(Method::GET, &it.all()).send().await.expect(200);
        assert_eq!(left["total"], 1, "{left}");
    }
}

#[actix_web::test]
async fn members_of_a_project_out_of_use_are_demoted_and_not_promoted() {
    for (done, refusal) in [("/suspend", "project.suspended"), ("/archive", "project.archived")] {
        let (it, _, member) = shared("maintainer", done).await;
        let change = |role: &str| it.call(Method::PATCH, &member).json(&json!({"role": role})).send();
        change("owner").await.refused(409, refusal);
        assert_eq!(change("viewer").await.expect(200)["role"], "viewer");
    }
}

#[actix_web::test]
async fn the_owner_of_an_archived_project_hands_it_over_and_leaves() {
    let (it, eve, member) = shared("viewer", "/archive").await;
    let ada = it.one(&json!({"id": id_of(&it.world, &it.ada).await}));
    let leave = || it.call(Method::DELETE, &ada).send();
    leave().await.refused(409, "project.last_owner");
    let to = json!({"user_id": id_of(&it.world, &eve).await});
    it.call(Method::POST, &it.path("/transfer")).json(&to).send().await.expect(200);
    assert_eq!(leave().await.status, 204);
    assert_eq!(it.world.get(&member).by(&eve).send().await.expect(200)["role"], "owner");
}
