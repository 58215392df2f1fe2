use actix_web::http::Method;
use serde_json::json;

use crate::world::World;

#[actix_web::test]
async fn what_the_client_has_already_is_not_sent_again() {
    let world = World::new();
    let ada = world.person("ada").await;
    let path = format!("/api/v1/agents/{}", world.agent(&ada, "Greeter").await);
    let etag = world.get(&path).by(&ada).send().await.header("etag").to_owned();
    for known in [etag.clone(), format!("W/{etag}"), format!("\"999\", {etag}"), "*".to_owned()] {
        let answer = world.get(&path).by(&ada).header("if-none-match", &known).send().await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0), "{known}");
        assert_eq!(answer.header("etag"), etag);
    }
    world.get(&path).by(&ada).header("if-none-match", "\"999\"").send().await.expect(200);
}

#[actix_web::test]
async fn a_change_is_made_only_on_the_state_the_client_has_seen() {
    let world = World::new();
    let ada = world.person("ada").await;
    let path = format!("/api/v1/agents/{}", world.agent(&ada, "Greeter").await);
    let seen = world.get(&path).by(&ada).send().await.header("etag").to_owned();
    let rename = |name: &str, condition: &str| {
        let call = world.call(Method::PATCH, &path).by(&ada).header("if-match", condition);
        call.json(&json!({"name": name})).send()
    };
    let changed = rename("Herald", &seen).await;
    changed.expect(200);
    assert_ne!(changed.header("etag"), seen);
    let head = world.head().await;
    rename("Too late", &seen).await.refused(412, "stale_version");
    rename("Foreign tag", "\"not-ours\"").await.refused(412, "stale_version");
    rename("Two old ones", "\"98\", \"99\"").await.refused(412, "stale_version");
    assert_eq!(world.head().await, head);
    let current = changed.header("etag");
    rename("One of several", &format!("\"99\", W/{current}")).await.expect(200);
    rename("Whatever it is", "*").await.expect(200);
}

#[actix_web::test]
async fn an_action_without_a_body_is_guarded_too() {
    let world = World::new();
    let ada = world.person("ada").await;
    let path = format!("/api/v1/agents/{}/pause", world.agent(&ada, "Greeter").await);
    world.post(&path).by(&ada).header("if-match", "\"99\"").send().await.refused(412, "stale_version");
}

#[actix_web::test]
async fn lists_of_tags_are_read_as_the_standard_writes_them() {
    let world = World::new();
    let ada = world.person("ada").await;
    let path = format!("/api/v1/agents/{}", world.agent(&ada, "Greeter").await);
    let etag = world.get(&path).by(&ada).send().await.header("etag").to_owned();
    for list in [format!("\"a,b\",{etag}"), format!(",, {etag} ,"), format!("W/\",\"\t,\t\"\" , {etag}")] {
        let answer = world.get(&path).by(&ada).header("if-none-match", &list).send().await;
        assert_eq!(answer.status, 304, "{list}");
    }
}

#[actix_web::test]
async fn malformed_conditions_are_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    let path = format!("/api/v1/agents/{}", world.agent(&ada, "Greeter").await);
    for condition in ["3", "\"3", "3\"", "w/\"3\"", "\"3\" \"4\"", "\"3\"4", "\"3 4\"", ",", "\"3\", 4"] {
        let call = world.call(Method::PATCH, &path).by(&ada).header("if-match", condition);
        call.json(&json!({"name": "Herald"})).send().await.refused(400, "request.malformed_etag");
        let answer = world.get(&path).by(&ada).header("if-none-match", condition).send().await;
        answer.refused(400, "request.malformed_etag");
    }
}

#[actix_web::test]
async fn ones_own_account_is_sent_again_only_when_it_has_changed() {
    let world = World::new();
    let ada = world.person("ada").await;
    let etag = world.get("/api/v1/auth/me").by(&ada).send().await.header("etag").to_owned();
    let again = || world.get("/api/v1/auth/me").by(&ada).header("if-none-match", &etag);
    assert_eq!(again().send().await.status, 304);
    let rename = world.call(Method::PATCH, "/api/v1/auth/me").by(&ada).json(&json!({"name": "Ada King"}));
    let renamed = rename.send().await.header("etag").to_owned();
    let answer = again().send().await;
    assert_eq!((answer.expect(200)["name"].as_str(), answer.header("etag")), (Some("Ada King"), &*renamed));
}

/// Renames the caller.
async fn rename(world: &World, token: &str, name: &str, condition: &str) -> crate::world::Answer {
    let call = world.call(Method::PATCH, "/api/v1/auth/me").by(token).header("if-match", condition);
    call.json(&json!({"name": name})).send().await
}

#[actix_web::test]
async fn ones_own_name_is_changed_only_from_the_one_that_was_seen() {
    let world = World::new();
    let ada = world.person("ada").await;
    let seen = world.get("/api/v1/auth/me").by(&ada).send().await.header("etag").to_owned();
    let renamed = rename(&world, &ada, "Ada King", &seen).await;
    renamed.expect(200);
    rename(&world, &ada, "Ada Byron", &seen).await.refused(412, "stale_version");
    let now = world.get("/api/v1/auth/me").by(&ada).send().await;
    assert_eq!((now.expect(200)["name"].as_str(), now.header("etag")), (Some("Ada King"), renamed.header("etag")));
}

#[actix_web::test]
async fn half_a_tag_of_ones_own_account_is_not_enough() {
    let world = World::new();
    let ada = world.person("ada").await;
    let seen = world.get("/api/v1/auth/me").by(&ada).send().await.header("etag").to_owned();
    let half = format!("{}\"", seen.split('-').next().unwrap());
    rename(&world, &ada, "Ada King", &half).await.refused(412, "stale_version");
    rename(&world, &ada, "Ada King", "*").await.expect(200);
}

#[actix_web::test]
async fn a_version_of_an_agent_is_never_sent_twice() {
    let world = World::new();
    let ada = world.person("ada").await;
    let agent = format!("/api/v1/agents/{}", world.agent(&ada, "Greeter").await);
    let first = format!("{agent}/versions/1");
    let tag = world.get(&first).by(&ada).send().await.header("etag").to_owned();
    world.post(&format!("{agent}/pause")).by(&ada).send().await.expect(200);
    assert_eq!(world.get(&first).by(&ada).header("if-none-match", &tag).send().await.status, 304);
}

#[actix_web::test]
async fn an_api_key_that_expires_is_another_state() {
    let world = World::new();
    let ada = world.person("ada").await;
    let keys = format!("/api/v1/projects/{}/api-keys", world.project(&ada).await);
    let expires_at = devskyy_application::ports::Clock::now(&*world.clock) + chrono::TimeDelta::minutes(1);
    let body = json!({"name": "deploy", "role": "viewer", "expires_at": expires_at});
    let issued = world.post(&keys).by(&ada).json(&body).send().await;
    let path = format!("{keys}/{}", issued.expect(201)["id"].as_str().unwrap());
    let read = || world.get(&path).by(&ada).header("if-none-match", issued.header("etag")).send();
    assert_eq!(read().await.status, 304);
    world.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(read().await.expect(200)["status"], "expired");
}
