//! Sign-ins and password changes in the audit trail.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::{
    audit::{id_of, root, told},
    world::World,
};

#[actix_web::test]
async fn a_failed_sign_in_is_told_with_the_account_where_there_is_one() {
    let world = World::new();
    let root = root(&world).await;
    let ada = world.person("ada").await;
    for email in ["ada@example.org", "nobody@example.org"] {
        let wrong = json!({"email": email, "password": "Wrong12345"});
        world.post("/api/v1/auth/login").json(&wrong).send().await.refused(401, "bad_credentials");
    }
    let failed = told(&world, &root, "?kind=authn_login_fail").await;
    let targets: Vec<_> = failed.iter().map(|it| it["target"].clone()).collect();
    assert_eq!(targets, [Value::Null, json!(format!("user:{}", id_of(&world, &ada).await))]);
}

#[actix_web::test]
async fn a_sign_in_that_somebody_ends_is_told() {
    let world = World::new();
    let (root, ada) = (root(&world).await, world.person("ada").await);
    let again = json!({"email": "ada@example.org", "password": "Analytical1843"});
    world.post("/api/v1/auth/login").json(&again).send().await.expect(200);
    let listed = world.get("/api/v1/auth/sessions").by(&ada).send().await.expect(200);
    let other = listed["items"].as_array().unwrap().iter().find(|it| it["current"] == false).unwrap();
    let other = other["id"].as_str().unwrap();
    world.call(Method::DELETE, &format!("/api/v1/auth/sessions/{other}")).by(&ada).send().await.expect(204);
    let ended = told(&world, &root, "?kind=authn_token_revoked").await;
    assert_eq!((ended.len(), &ended[0]["target"]), (1, &json!(format!("session:{other}"))));
}

#[actix_web::test]
async fn whoever_does_not_know_the_present_password_is_told_until_they_wait() {
    let world = World::new();
    let (root, ada) = (root(&world).await, world.person("ada").await);
    let wrong = json!({"current_password": "Wrong12345", "password": "Differential1991"});
    for _ in 0..10 {
        let answer = world.post("/api/v1/auth/password").by(&ada).json(&wrong).send().await;
        answer.refused(422, "user.current_password_wrong");
    }
    world.post("/api/v1/auth/password").by(&ada).json(&wrong).send().await.refused(429, "too_many_attempts");
    let account = json!(format!("user:{}", id_of(&world, &ada).await));
    let failed = told(&world, &root, "?kind=authn_password_change_fail").await;
    let waiting = told(&world, &root, "?kind=authn_login_fail_max").await;
    let targets: Vec<_> = failed.iter().chain(&waiting).map(|it| it["target"].clone()).collect();
    assert_eq!(targets, vec![account; 11]);
}
