//! Rate limits apply to every caller, and responses show how much is left.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use devskyy_api::{Limiter, Limits};
use devskyy_application::ports::Clock as _;
use serde_json::json;

use crate::world::{Answer, World};

fn limited(reads: u32, writes: u32, anonymous: u32) -> World {
    let mut world = World::new();
    world.state.limiter = Arc::new(Limiter::new(Limits { reads, writes, anonymous }));
    world
}

async fn me(world: &World, token: &str) -> Answer {
    world.get("/api/v1/auth/me").by(token).send().await
}

#[actix_web::test]
async fn every_limited_answer_tells_how_much_is_left() {
    let world = limited(30, 30, 30);
    let ada = world.person("ada").await;
    let answer = me(&world, &ada).await;
    assert_eq!(
        (answer.header("ratelimit-policy"), answer.header("ratelimit")),
        ("\"read\";q=30;w=60", "\"read\";r=29;t=2")
    );
}

#[actix_web::test]
async fn a_problem_tells_how_much_is_left_too() {
    let answer = limited(30, 30, 30).get("/api/v1/agents").send().await;
    answer.refused(401, "unauthenticated");
    assert_eq!(answer.header("ratelimit"), "\"anonymous\";r=29;t=2");
}

#[actix_web::test]
async fn too_many_requests_are_refused_with_the_time_to_wait() {
    let world = limited(2, 30, 30);
    let ada = world.person("ada").await;
    for _ in 0..2 {
        me(&world, &ada).await.expect(200);
    }
    let answer = me(&world, &ada).await;
    answer.refused(429, "rate_limited");
    assert_eq!((answer.header("retry-after"), answer.header("ratelimit")), ("30", "\"read\";r=0;t=30"));
}

#[actix_web::test]
async fn whoever_waits_as_told_is_answered_again() {
    let world = limited(2, 30, 30);
    let ada = world.person("ada").await;
    for _ in 0..3 {
        me(&world, &ada).await;
    }
    world.clock.advance(Duration::from_secs(30));
    me(&world, &ada).await.expect(200);
}

#[actix_web::test]
async fn one_person_does_not_use_up_what_another_may_ask() {
    let world = limited(1, 30, 30);
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    for _ in 0..2 {
        me(&world, &ada).await;
    }
    me(&world, &bob).await.expect(200);
}

#[actix_web::test]
async fn a_proof_that_is_not_accepted_counts_for_the_address() {
    let world = limited(30, 30, 1);
    me(&world, "forged").await.refused(401, "unauthenticated");
    me(&world, "forged-again").await.refused(429, "rate_limited");
}

/// A world whose address has used up the anonymous limit, and a key in it.
async fn exhausted(proven: bool) -> (World, String) {
    let world = limited(30, 30, 10);
    let ada = world.person("ada").await;
    let project = world.project(&ada).await;
    let expires_at = world.clock.now() + TimeDelta::days(1);
    let wanted = json!({"name": "robot", "role": "viewer", "expires_at": expires_at});
    let issued = world.post(&format!("/api/v1/projects/{project}/api-keys")).by(&ada).json(&wanted).send().await;
    let key = issued.expect(201)["key"].as_str().unwrap().to_owned();
    if proven {
        projects(&world, &key).await.expect(200);
    }
    for _ in 0..10 {
        me(&world, "forged").await;
    }
    (world, key)
}

async fn projects(world: &World, key: &str) -> Answer {
    world.get("/api/v1/projects").by(key).send().await
}

#[actix_web::test]
async fn whether_a_key_is_one_is_not_asked_for_an_address_that_has_asked_too_much() {
    let (world, key) = exhausted(false).await;
    projects(&world, &key).await.refused(429, "rate_limited");
}

#[actix_web::test]
async fn a_key_that_has_proved_to_be_one_does_not_wait_for_its_neighbours() {
    let (world, key) = exhausted(true).await;
    projects(&world, &key).await.expect(200);
}

#[actix_web::test]
async fn a_key_is_asked_for_again_once_its_address_has_waited() {
    let (world, key) = exhausted(false).await;
    world.clock.advance(Duration::from_secs(60));
    projects(&world, &key).await.expect(200);
}

#[actix_web::test]
async fn a_refused_request_changes_nothing() {
    let world = limited(30, 1, 30);
    let ada = world.person("ada").await;
    world.project(&ada).await;
    let before = world.head().await;
    let call = world.post("/api/v1/projects").by(&ada).json(&serde_json::json!({"name": "One too many"}));
    call.send().await.refused(429, "rate_limited");
    assert_eq!(world.head().await, before);
}

#[actix_web::test]
async fn probes_and_documents_are_not_counted() {
    let world = limited(1, 1, 1);
    for path in ["/health", "/health/live", "/health/ready", "/docs/", "/openapi.json", "/.well-known/jwks.json"] {
        for _ in 0..2 {
            let answer = world.get(path).send().await;
            assert_eq!((answer.status.as_u16(), answer.header("ratelimit")), (200, ""), "{path}");
        }
    }
}

#[actix_web::test]
async fn what_is_not_limited_says_nothing_of_limits() {
    assert_eq!(limited(0, 0, 0).get("/api/v1/agents").send().await.header("ratelimit-policy"), "");
}
