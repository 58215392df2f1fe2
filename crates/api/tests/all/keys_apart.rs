//! Which `Idempotency-Key`s collide, where they apply, and which callers get a repeated response.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::json;

use crate::{
    repeating::{Everything, KEY},
    world::{Answer, World},
};

#[actix_web::test]
async fn whoever_has_left_a_project_is_not_shown_it_for_having_created_it() {
    let all = Everything::new().await;
    let kim = all.world.person("kim").await;
    let me = all.world.get("/api/v1/auth/me").by(&kim).send().await.expect(200);
    let create = || {
        let call = all.world.post("/api/v1/projects").by(&kim).header("idempotency-key", KEY);
        call.json(&json!({"name": "Harbour"})).send()
    };
    let created = create().await.expect(201);
    assert_eq!(create().await.expect(201)["id"], created["id"]);
    let members = format!("/api/v1/projects/{}/members", created["id"].as_str().unwrap());
    all.world.acquaint(&kim, &all.ada).await;
    let other = all.world.get("/api/v1/auth/me").by(&all.ada).send().await.expect(200);
    let owner = json!({"user_id": other["id"], "role": "owner"});
    all.world.post(&members).by(&kim).json(&owner).send().await.expect(201);
    let leave = format!("{members}/{}", me["id"].as_str().unwrap());
    assert_eq!(all.world.call(Method::DELETE, &leave).by(&all.ada).send().await.status, 204);
    create().await.refused(404, "not_found");
}

/// Registers a user under the one key.
async fn register(world: &World, email: &str) -> Answer {
    let account = json!({"email": email, "password": "Analytical1843", "name": "Somebody"});
    world.post("/api/v1/auth/register").header("idempotency-key", KEY).json(&account).send().await
}

#[actix_web::test]
async fn keys_of_strangers_do_not_meet() {
    let world = World::new();
    register(&world, "ada@example.org").await.expect(201);
    register(&world, "eve@example.org").await.expect(201);
}

#[actix_web::test]
async fn a_strangers_key_is_known_however_their_e_mail_is_written() {
    let world = World::new();
    register(&world, "ada@example.org").await.expect(201);
    register(&world, "Ada@Example.org").await.refused(422, "idempotency.key_reused");
}

#[actix_web::test]
async fn a_request_that_takes_no_key_is_answered_whatever_is_under_way_with_that_key() {
    let all = Everything::new().await;
    let (path, agent) = (all.of_agent("/execute"), all.of_agent(""));
    let keyed = |method: Method| all.world.call(method, &agent).by(&all.ada).header("idempotency-key", KEY);
    let others = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let read = keyed(Method::GET).send().await;
        let changed = keyed(Method::PATCH).json(&json!({"description": "Under way"})).send().await;
        all.world.clock.advance(Duration::from_secs(2));
        [read.status.as_u16(), changed.status.as_u16()]
    };
    let waiting = json!({"wait_s": 2});
    let (_, others) = tokio::join!(all.send(&path, &waiting), others);
    assert_eq!(others, [200, 200]);
}
