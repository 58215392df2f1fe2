//! Users and their own accounts.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::world::{Answer, World};

const PASSWORD: &str = "Analytical1843";

async fn log_in(world: &World, password: &str) -> Answer {
    world.post("/api/v1/auth/login").json(&json!({"email": "ada@example.org", "password": password})).send().await
}

fn token(answer: &Answer) -> String {
    answer.expect(200)["access_token"].as_str().unwrap().to_owned()
}

async fn change(world: &World, by: &str, current: &str, new: &str) -> Answer {
    let body = json!({"current_password": current, "password": new});
    world.post("/api/v1/auth/password").by(by).json(&body).send().await
}

async fn sessions(world: &World, by: &str) -> Vec<Value> {
    let answer = world.get("/api/v1/auth/sessions").by(by).send().await.expect(200);
    answer["items"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn a_changed_password_ends_every_other_sign_in() {
    let world = World::new();
    let ada = world.person("ada").await;
    let elsewhere = token(&log_in(&world, PASSWORD).await);
    assert_eq!(change(&world, &ada, PASSWORD, "Difference1822").await.status, 204);
    world.get("/api/v1/auth/me").by(&ada).send().await.expect(200);
    world.get("/api/v1/auth/me").by(&elsewhere).send().await.refused(401, "unauthenticated");
    log_in(&world, PASSWORD).await.expect(401);
    log_in(&world, "Difference1822").await.expect(200);
}

#[actix_web::test]
async fn whoever_does_not_know_the_password_does_not_change_it() {
    let world = World::new();
    let ada = world.person("ada").await;
    let refused = change(&world, &ada, "Wrong-one-1", "Difference1822").await;
    refused.refused_at(422, "user.current_password_wrong", "/current_password");
    log_in(&world, PASSWORD).await.expect(200);
}

#[actix_web::test]
async fn a_weak_password_is_refused_as_at_registration() {
    let world = World::new();
    let ada = world.person("ada").await;
    change(&world, &ada, PASSWORD, "short").await.refused_at(422, "user.password_length", "/password");
    change(&world, &ada, PASSWORD, "ada@example.org").await.refused_at(422, "user.password_is_email", "/password");
}

#[actix_web::test]
async fn a_person_goes_by_another_name() {
    let world = World::new();
    let ada = world.person("ada").await;
    let head = world.head().await;
    let answer = world.call(Method::PATCH, "/api/v1/auth/me").by(&ada).json(&json!({"name": "Ada King"})).send().await;
    assert_eq!(answer.expect(200)["name"], "Ada King");
    assert_eq!(world.get("/api/v1/auth/me").by(&ada).send().await.expect(200)["name"], "Ada King");
    assert_eq!(world.head().await, head, "a name is personal and no fact");
    let empty = world.call(Method::PATCH, "/api/v1/auth/me").by(&ada).json(&json!({"name": " "})).send().await;
    empty.refused_at(422, "user.name_format", "/name");
}

#[actix_web::test]
async fn a_person_sees_and_ends_their_sign_ins() {
    let world = World::new();
    let ada = world.person("ada").await;
    let elsewhere = token(&log_in(&world, PASSWORD).await);
    let all = sessions(&world, &ada).await;
    assert_eq!(all.len(), 2);
    let other = all.iter().find(|session| session["current"] == false).unwrap();
    let path = format!("/api/v1/auth/sessions/{}", other["id"].as_str().unwrap());
    assert_eq!(world.call(Method::DELETE, &path).by(&ada).send().await.status, 204);
    world.get("/api/v1/auth/me").by(&elsewhere).send().await.refused(401, "unauthenticated");
    assert_eq!(sessions(&world, &ada).await.len(), 1);
    world.call(Method::DELETE, &path).by(&ada).send().await.refused(404, "not_found");
}

#[actix_web::test]
async fn nobody_ends_a_strangers_sign_in() {
    let world = World::new();
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let session = sessions(&world, &ada).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/auth/sessions/{session}");
    world.call(Method::DELETE, &path).by(&eve).send().await.refused(404, "not_found");
    world.get("/api/v1/auth/me").by(&ada).send().await.expect(200);
}
