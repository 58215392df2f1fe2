//! API keys from the point of view of a program and of an attacker.

use std::time::Duration;

use actix_web::http::Method;
use chrono::TimeDelta;
use devskyy_application::ports::Clock;
use serde_json::{Value, json};

use crate::{
    owned::Owned,
    world::{Answer, agent},
};

impl Owned {
    fn wanted(&self, role: &str) -> Value {
        json!({"name": "deploy", "role": role, "expires_at": self.world.clock.now() + TimeDelta::days(30)})
    }

    async fn issue(&self, body: &Value) -> Value {
        self.add(body).await.expect(201)
    }

    async fn key(&self, role: &str) -> String {
        text(&self.issue(&self.wanted(role)).await)
    }

    async fn agents(&self, key: &str) -> Answer {
        self.world.get("/api/v1/agents").by(key).send().await
    }
}

fn text(issued: &Value) -> String {
    issued["key"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_key_is_shown_once_and_works_in_its_project() {
    let it = Owned::new("api-keys").await;
    let issued = it.issue(&it.wanted("maintainer")).await;
    let key = text(&issued);
    assert!(key.starts_with("dsk_"), "{key}");
    let created = it.world.post("/api/v1/agents").by(&key).json(&agent("Greeter")).send().await.expect(201);
    assert_eq!(created["project_id"], it.project.as_str());
    let one = it.one(&issued);
    let shown = it.world.get(&one).by(&it.ada).send().await.expect(200);
    assert_eq!((shown.get("key"), shown["status"].as_str()), (None, Some("active")));
    assert!(shown["last_used_at"].is_string(), "{shown}");
    let listed = it.world.get(&it.all()).by(&it.ada).send().await;
    assert_eq!(listed.expect(200)["total"], 1);
    assert!(!listed.text().contains(&key));
}

#[actix_web::test]
async fn both_headers_have_the_same_verdict() {
    let it = Owned::new("api-keys").await;
    let good = it.key("viewer").await;
    let typo = format!("{}{}", &good[..good.len() - 1], if good.ends_with('0') { '1' } else { '0' });
    for (key, status) in [(good.as_str(), 200), (typo.as_str(), 401), ("dsk_", 401), ("dsk_a_b_c", 401)] {
        let bearer = it.agents(key).await;
        let header = it.world.get("/api/v1/agents").header("x-api-key", key).send().await;
        assert_eq!((bearer.status.as_u16(), header.status.as_u16()), (status, status), "{key}");
    }
}

#[actix_web::test]
async fn an_access_token_is_no_api_key_and_two_proofs_are_none() {
    let it = Owned::new("api-keys").await;
    let key = it.key("viewer").await;
    let token = it.world.get("/api/v1/agents").header("x-api-key", &it.ada).send().await;
    token.refused(401, "unauthenticated");
    let both = it.world.get("/api/v1/agents").by(&key).header("x-api-key", &key).send().await;
    both.refused(401, "unauthenticated");
}

#[actix_web::test]
async fn a_key_knows_no_other_project() {
    let it = Owned::new("api-keys").await;
    let other = it.world.project(&it.ada).await;
    let key = it.key("owner").await;
    it.world.get(&format!("/api/v1/projects/{other}")).by(&key).send().await.refused(404, "not_found");
    let listed = it.world.get("/api/v1/projects").by(&key).send().await.expect(200);
    assert_eq!((listed["total"].as_u64(), &listed["items"][0]["id"]), (Some(1), &json!(it.project)));
}

#[actix_web::test]
async fn a_key_does_what_its_scopes_say_and_nothing_else() {
    let it = Owned::new("api-keys").await;
    let mut body = it.wanted("maintainer");
    body["scopes"] = json!(["agents.read"]);
    let key = text(&it.issue(&body).await);
    it.agents(&key).await.expect(200);
    it.world.post("/api/v1/agents").by(&key).json(&agent("Greeter")).send().await.refused(403, "forbidden");
}

#[actix_web::test]
async fn a_key_does_what_its_role_allows_and_nothing_else() {
    let it = Owned::new("api-keys").await;
    let key = it.key("viewer").await;
    it.world.post("/api/v1/agents").by(&key).json(&agent("Greeter")).send().await.refused(403, "forbidden");
}

#[actix_web::test]
async fn a_key_is_no_person() {
    let it = Owned::new("api-keys").await;
    let key = it.key("owner").await;
    it.world.get("/api/v1/auth/me").by(&key).send().await.refused(403, "forbidden");
    it.world.post("/api/v1/auth/logout").by(&key).send().await.refused(403, "forbidden");
    let project = json!({"name": "Another"});
    it.world.post("/api/v1/projects").by(&key).json(&project).send().await.refused(403, "forbidden");
    it.world.post(&it.all()).by(&key).json(&it.wanted("viewer")).send().await.refused(403, "people_only");
}

#[actix_web::test]
async fn nobody_issues_a_key_mightier_than_themselves() {
    let it = Owned::new("api-keys").await;
    let eve = it.member("eve", "maintainer").await;
    let refused = it.world.post(&it.all()).by(&eve).json(&it.wanted("owner")).send().await;
    refused.refused_at(403, "api_key.exceeds_issuer", "/role");
    it.world.post(&it.all()).by(&eve).json(&it.wanted("maintainer")).send().await.expect(201);
}

#[actix_web::test]
async fn a_demoted_issuers_key_is_demoted_and_a_removed_issuers_key_is_nobodys() {
    let it = Owned::new("api-keys").await;
    let eve = it.member("eve", "maintainer").await;
    let me = it.world.get("/api/v1/auth/me").by(&eve).send().await.expect(200)["id"].as_str().unwrap().to_owned();
    let issued = it.world.post(&it.all()).by(&eve).json(&it.wanted("maintainer")).send().await.expect(201);
    let key = text(&issued);
    let member = format!("/api/v1/projects/{}/members/{me}", it.project);
    let viewer = json!({"role": "viewer"});
    it.call(Method::PATCH, &member).json(&viewer).send().await.expect(200);
    it.agents(&key).await.expect(200);
    it.world.post("/api/v1/agents").by(&key).json(&agent("Greeter")).send().await.refused(403, "forbidden");
    assert_eq!(it.call(Method::DELETE, &member).send().await.status, 204);
    it.agents(&key).await.refused(404, "not_found");
}

#[actix_web::test]
async fn a_revoked_key_counts_no_longer() {
    let it = Owned::new("api-keys").await;
    let issued = it.issue(&it.wanted("viewer")).await;
    let one = it.one(&issued);
    assert_eq!(it.call(Method::DELETE, &one).send().await.status, 204);
    it.agents(&text(&issued)).await.refused(401, "unauthenticated");
    let rotated = it.world.post(&format!("{one}/rotate")).by(&it.ada).json(&json!({})).send().await;
    rotated.refused(409, "api_key.revoked");
    assert_eq!(it.world.get(&one).by(&it.ada).send().await.expect(200)["status"], "revoked");
}

#[actix_web::test]
async fn an_expired_key_counts_no_longer() {
    let it = Owned::new("api-keys").await;
    let key = it.key("viewer").await;
    it.world.clock.advance(Duration::from_secs(30 * 86_400));
    it.agents(&key).await.refused(401, "unauthenticated");
}

#[actix_web::test]
async fn a_rotated_key_works_beside_its_successor_for_a_while() {
    let it = Owned::new("api-keys").await;
    let issued = it.issue(&it.wanted("viewer")).await;
    let rotate = format!("{}/rotate", it.one(&issued));
    let rotated = it.world.post(&rotate).by(&it.ada).json(&json!({"overlap_s": 60})).send().await.expect(200);
    let (old, new) = (text(&issued), text(&rotated));
    assert_ne!(old, new);
    it.agents(&old).await.expect(200);
    it.agents(&new).await.expect(200);
    it.world.clock.advance(Duration::from_secs(60));
    it.agents(&old).await.refused(401, "unauthenticated");
    it.agents(&new).await.expect(200);
}

#[actix_web::test]
async fn nobody_takes_over_a_mightier_key_by_rotating_it() {
    let it = Owned::new("api-keys").await;
    let eve = it.member("eve", "maintainer").await;
    let issued = it.issue(&it.wanted("owner")).await;
    let rotate = format!("{}/rotate", it.one(&issued));
    let refused = it.world.post(&rotate).by(&eve).json(&json!({})).send().await;
    refused.refused(403, "api_key.exceeds_issuer");
}

#[actix_web::test]
async fn wrong_wishes_are_refused_by_member() {
    let it = Owned::new("api-keys").await;
    for (member, value, code, pointer) in [
        ("name", json!(" "), "api_key.name_format", "/name"),
        ("role", json!("king"), "project.role_unknown", "/role"),
        ("scopes", json!(["agents.read", "keys.issue"]), "api_key.scope_unknown", "/scopes/1"),
        ("scopes", json!([]), "api_key.scopes_empty", "/scopes"),
        ("expires_at", json!(it.world.clock.now()), "api_key.expiry_range", "/expires_at"),
        ("expires_at", json!(it.world.clock.now() + TimeDelta::days(366)), "api_key.expiry_range", "/expires_at"),
    ] {
        let mut body = it.wanted("viewer");
        body[member] = value;
        it.world.post(&it.all()).by(&it.ada).json(&body).send().await.refused_at(422, code, pointer);
    }
    let head = it.world.head().await;
    let body = json!({"name": "deploy", "role": "viewer"});
    it.world.post(&it.all()).by(&it.ada).json(&body).send().await.expect(422);
    assert_eq!(it.world.head().await, head);
}

#[actix_web::test]
async fn viewers_and_strangers_see_no_keys() {
    let it = Owned::new("api-keys").await;
    let (viewer, stranger) = (it.member("eve", "viewer").await, it.world.person("kim").await);
    it.world.get(&it.all()).by(&viewer).send().await.refused(403, "forbidden");
    it.world.get(&it.all()).by(&stranger).send().await.refused(404, "not_found");
}

#[actix_web::test]
async fn a_repeated_request_issues_one_key_and_shows_it_once() {
    let it = Owned::new("api-keys").await;
    let body = it.wanted("viewer");
    let ask = || it.world.post(&it.all()).by(&it.ada).header("idempotency-key", "k1").json(&body);
    let (first, second) = (ask().send().await.expect(201), ask().send().await.expect(201));
    assert_eq!(first["id"], second["id"]);
    assert!(first["key"].is_string() && second["key"].is_null(), "{second}");
}

#[actix_web::test]
async fn what_a_key_does_is_recorded_under_its_name() {
    let it = Owned::new("api-keys").await;
    let issued = it.issue(&it.wanted("maintainer")).await;
    let created = it.world.post("/api/v1/agents").by(&text(&issued)).json(&agent("Greeter")).send().await.expect(201);
    let versions = format!("/api/v1/agents/{}/versions", created["id"].as_str().unwrap());
    let listed = it.world.get(&versions).by(&it.ada).send().await.expect(200);
    assert_eq!(listed["items"][0]["published_by"], format!("key:{}", issued["id"].as_str().unwrap()));
}

#[actix_web::test]
async fn a_key_is_not_renewed_out_of_bounds() {
    let it = Owned::new("api-keys").await;
    let expires_at = it.world.clock.now() + TimeDelta::minutes(10);
    let issued = it.issue(&json!({"name": "deploy", "role": "viewer", "expires_at": expires_at})).await;
    let rotate = format!("{}/rotate", it.one(&issued));
    let longer = json!({"overlap_s": 604_801});
    it.world.post(&rotate).by(&it.ada).json(&longer).send().await.refused(422, "api_key.overlap_range");
    it.world.clock.advance(Duration::from_secs(11 * 60));
    let later = json!({"expires_at": it.wanted("viewer")["expires_at"]});
    it.world.post(&rotate).by(&it.ada).json(&later).send().await.refused(409, "api_key.expired");
}

/// An owner's key that changes the members of its project.
struct Gatekeeper {
    it: Owned,
    key: String,
}

impl Gatekeeper {
    async fn new() -> Self {
        let it = Owned::new("api-keys").await;
        let key = it.key("owner").await;
        Self { it, key }
    }

    /// Adds Eve as a member, or invites her.
    async fn let_in(&self, place: &str, role: &str) -> Answer {
        let body = json!({"email": "eve@example.org", "role": role});
        self.it.world.post(&self.it.path(place)).by(&self.key).json(&body).send().await
    }

    /// Makes Eve a member of the project; returns her path there.
    async fn member(&self, role: &str) -> String {
        self.it.acquaintance("eve").await;
        self.it.join("eve", role).await.header("location").to_owned()
    }

    async fn change(&self, member: &str, role: &str) -> Answer {
        self.it.world.call(Method::PATCH, member).by(&self.key).json(&json!({"role": role})).send().await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.it.world.call(Method::DELETE, path).by(&self.key).send().await
    }
}

#[actix_web::test]
async fn a_key_lets_in_operators_and_viewers_only() {
    let it = Gatekeeper::new().await;
    it.it.acquaintance("eve").await;
    for place in ["/members", "/invitations"] {
        for role in ["owner", "maintainer"] {
            it.let_in(place, role).await.refused(403, "people_only");
        }
    }
    it.let_in("/invitations", "viewer").await.expect(201);
    it.let_in("/members", "operator").await.expect(201);
}

#[actix_web::test]
async fn a_key_promotes_nobody_beyond_operators() {
    let it = Gatekeeper::new().await;
    let eve = it.member("viewer").await;
    it.change(&eve, "owner").await.refused(403, "people_only");
    it.change(&eve, "maintainer").await.refused(403, "people_only");
    it.change(&eve, "operator").await.expect(200);
}

#[actix_web::test]
async fn a_key_demotes_operators_only() {
    let it = Gatekeeper::new().await;
    let eve = it.member("maintainer").await;
    it.change(&eve, "viewer").await.refused(403, "people_only");
    it.it.call(Method::PATCH, &eve).json(&json!({"role": "operator"})).send().await.expect(200);
    it.change(&eve, "viewer").await.expect(200);
}

#[actix_web::test]
async fn a_key_removes_no_maintainer() {
    let it = Gatekeeper::new().await;
    let eve = it.member("maintainer").await;
    it.delete(&eve).await.refused(403, "people_only");
}

#[actix_web::test]
async fn a_key_removes_operators() {
    let it = Gatekeeper::new().await;
    let eve = it.member("operator").await;
    assert_eq!(it.delete(&eve).await.status, 204);
}

#[actix_web::test]
async fn a_key_does_not_withdraw_what_it_may_not_offer() {
    let it = Gatekeeper::new().await;
    let body = json!({"email": "kim@example.org", "role": "maintainer"});
    let offered = it.it.call(Method::POST, &it.it.path("/invitations")).json(&body).send().await;
    it.delete(offered.header("location")).await.refused(403, "people_only");
}
