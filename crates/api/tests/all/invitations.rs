//! Invitations to projects, from both sides.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::world::{Answer, World};

struct Inviting {
    world: World,
    ada: String,
    project: String,
}

impl Inviting {
    async fn new() -> Self {
        let world = World::new();
        let ada = world.person("ada").await;
        let project = world.project(&ada).await;
        Self { world, ada, project }
    }

    fn path(&self) -> String {
        format!("/api/v1/projects/{}/invitations", self.project)
    }

    async fn invite(&self, name: &str) -> Value {
        let body = json!({"email": format!("{name}@example.org"), "role": "operator"});
        self.world.post(&self.path()).by(&self.ada).json(&body).send().await.expect(201)
    }

    async fn answer(&self, by: &str, invitation: &Value, answer: &str, body: &Value) -> Answer {
        let path = format!("/api/v1/invitations/{}/{answer}", invitation["id"].as_str().unwrap());
        self.world.post(&path).by(by).json(body).send().await
    }

    async fn own(&self, by: &str) -> Vec<Value> {
        let answer = self.world.get("/api/v1/invitations").by(by).send().await.expect(200);
        answer["items"].as_array().unwrap().clone()
    }

    async fn sees_the_project(&self, by: &str) -> bool {
        self.world.get(&format!("/api/v1/projects/{}", self.project)).by(by).send().await.status == 200
    }
}

#[actix_web::test]
async fn somebody_with_an_account_finds_the_invitation_and_accepts() {
    let it = Inviting::new().await;
    let eve = it.world.person("eve").await;
    let invitation = it.invite("eve").await;
    let own = it.own(&eve).await;
    assert_eq!((&own[0]["id"], &own[0]["project_name"]), (&invitation["id"], &json!("Supply chain")));
    assert!(!it.sees_the_project(&eve).await);
    let accepted = it.answer(&eve, &invitation, "accept", &json!({})).await.expect(200);
    assert_eq!((accepted["status"].as_str(), &accepted["email"]), (Some("accepted"), &Value::Null));
    let members = format!("/api/v1/projects/{}/members", it.project);
    let listed = it.world.get(&members).by(&eve).send().await.expect(200);
    assert_eq!(listed["items"][1]["role"], "operator");
    assert_eq!(it.own(&eve).await, Vec::<Value>::new());
}

#[actix_web::test]
async fn whoever_registers_later_needs_the_token() {
    let it = Inviting::new().await;
    let invitation = it.invite("eve").await;
    it.world.clock.advance(Duration::from_secs(60));
    let eve = it.world.person("eve").await;
    let own = it.own(&eve).await;
    assert_eq!((&own[0]["id"], &own[0]["project_name"]), (&invitation["id"], &Value::Null));
    it.answer(&eve, &invitation, "accept", &json!({})).await.refused(404, "not_found");
    it.answer(&eve, &invitation, "accept", &json!({"token": "guessed"})).await.refused(404, "not_found");
    it.answer(&eve, &invitation, "accept", &json!({"token": invitation["token"]})).await.expect(200);
    assert!(it.sees_the_project(&eve).await);
}

#[actix_web::test]
async fn an_invitation_for_somebody_else_does_not_exist() {
    let it = Inviting::new().await;
    let (_, kim) = (it.world.person("eve").await, it.world.person("kim").await);
    let invitation = it.invite("eve").await;
    let head = it.world.head().await;
    for answer in ["accept", "decline"] {
        let body = json!({"token": invitation["token"]});
        it.answer(&kim, &invitation, answer, &body).await.refused(404, "not_found");
    }
    assert_eq!(it.world.head().await, head);
}

#[actix_web::test]
async fn a_declined_invitation_is_not_accepted_any_more() {
    let it = Inviting::new().await;
    let eve = it.world.person("eve").await;
    let invitation = it.invite("eve").await;
    assert_eq!(it.answer(&eve, &invitation, "decline", &json!({})).await.expect(200)["status"], "declined");
    it.answer(&eve, &invitation, "accept", &json!({})).await.refused(404, "not_found");
    assert!(!it.sees_the_project(&eve).await);
}

#[actix_web::test]
async fn a_withdrawn_invitation_lets_nobody_in() {
    let it = Inviting::new().await;
    let eve = it.world.person("eve").await;
    let invitation = it.invite("eve").await;
    let one = format!("{}/{}", it.path(), invitation["id"].as_str().unwrap());
    assert_eq!(it.world.call(Method::DELETE, &one).by(&it.ada).send().await.status, 204);
    it.answer(&eve, &invitation, "accept", &json!({})).await.refused(404, "not_found");
    it.world.call(Method::DELETE, &one).by(&it.ada).send().await.refused(409, "invitation.ended");
    let listed = it.world.get(&it.path()).by(&it.ada).send().await.expect(200);
    assert_eq!(listed["items"], json!([]));
}

#[actix_web::test]
async fn an_expired_invitation_lets_nobody_in() {
    let it = Inviting::new().await;
    it.world.person("eve").await;
    let invitation = it.invite("eve").await;
    it.world.clock.advance(Duration::from_secs(7 * 86_400));
    let body = json!({"email": "eve@example.org", "password": "Analytical1843"});
    let tokens = it.world.post("/api/v1/auth/login").json(&body).send().await.expect(200);
    let eve = tokens["access_token"].as_str().unwrap();
    assert_eq!(it.own(eve).await, Vec::<Value>::new());
    it.answer(eve, &invitation, "accept", &json!({})).await.refused(409, "invitation.expired");
}

#[actix_web::test]
async fn a_suspended_project_invites_nobody_and_takes_nobody_in() {
    let it = Inviting::new().await;
    let eve = it.world.person("eve").await;
    let invitation = it.invite("eve").await;
    it.world.post(&format!("/api/v1/projects/{}/suspend", it.project)).by(&it.ada).send().await.expect(200);
    it.answer(&eve, &invitation, "accept", &json!({})).await.refused(409, "project.suspended");
    let body = json!({"email": "kim@example.org", "role": "viewer"});
    it.world.post(&it.path()).by(&it.ada).json(&body).send().await.refused(409, "project.suspended");
    assert_eq!(it.own(&eve).await.len(), 1);
}

#[actix_web::test]
async fn inviting_does_not_tell_who_has_an_account() {
    let it = Inviting::new().await;
    it.world.person("eve").await;
    let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let (known, unknown) = (it.invite("eve").await, it.invite("nobody").await);
    assert_eq!(members(&known), members(&unknown));
}

#[actix_web::test]
async fn a_repeated_request_invites_once_and_shows_the_token_once() {
    let it = Inviting::new().await;
    let body = json!({"email": "eve@example.org", "role": "viewer"});
    let ask = || it.world.post(&it.path()).by(&it.ada).header("idempotency-key", "k1").json(&body);
    let (first, second) = (ask().send().await.expect(201), ask().send().await.expect(201));
    assert_eq!(first["id"], second["id"]);
    assert!(first["token"].is_string() && second["token"].is_null(), "{second}");
    assert_eq!(it.world.get(&it.path()).by(&it.ada).send().await.expect(200)["items"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn wrong_wishes_about_invitations_are_refused_by_member() {
    let it = Inviting::new().await;
    let body = json!({"email": "eve", "role": "viewer"});
    it.world.post(&it.path()).by(&it.ada).json(&body).send().await.refused_at(422, "user.email_format", "/email");
    let body = json!({"email": "eve@example.org", "role": "king"});
    it.world.post(&it.path()).by(&it.ada).json(&body).send().await.refused_at(422, "project.role_unknown", "/role");
}

#[actix_web::test]
async fn no_e_mail_of_an_invitation_is_in_the_log() {
    let it = Inviting::new().await;
    let invitation = it.invite("secretive").await;
    let token = invitation["token"].as_str().unwrap();
    let events = it.world.store.events();
    let told = events.iter().any(|event| event.data.contains("secretive") || event.data.contains(token));
    assert!(!told && events.iter().any(|event| event.event_type == "invitation.issued"));
}

#[actix_web::test]
async fn members_are_not_invited_again() {
    let it = Inviting::new().await;
    let body = json!({"email": "ada@example.org", "role": "viewer"});
    it.world.post(&it.path()).by(&it.ada).json(&body).send().await.refused(409, "project.already_member");
}

#[actix_web::test]
async fn a_second_invitation_does_not_change_the_role_of_who_has_joined() {
    let it = Inviting::new().await;
    let eve = it.world.person("eve").await;
    let (first, second) = (it.invite("eve").await, it.invite("eve").await);
    let body = json!({"email": "eve@example.org", "role": "owner"});
    let mightier = it.world.post(&it.path()).by(&it.ada).json(&body).send().await.expect(201);
    it.answer(&eve, &first, "accept", &json!({})).await.expect(200);
    it.answer(&eve, &mightier, "accept", &json!({})).await.refused(409, "project.already_member");
    assert_eq!(it.answer(&eve, &second, "accept", &json!({})).await.expect(200)["status"], "accepted");
}

#[actix_web::test]
async fn a_project_waits_for_a_hundred_answers_at_most() {
    let it = Inviting::new().await;
    for n in 0..100 {
        it.invite(&format!("guest{n}")).await;
    }
    let body = json!({"email": "late@example.org", "role": "viewer"});
    it.world.post(&it.path()).by(&it.ada).json(&body).send().await.refused(409, "invitation.too_many");
}

#[actix_web::test]
async fn owners_are_told_who_was_invited_by_whom_and_who_came() {
    let it = Inviting::new().await;
    let eve = it.world.person("eve").await;
    let invitation = it.invite("eve").await;
    it.answer(&eve, &invitation, "accept", &json!({})).await.expect(200);
    let path = format!("/api/v1/audit?project_id={}&limit=3", it.project);
    let told = it.world.get(&path).by(&it.ada).send().await.expect(200);
    let mut kinds: Vec<_> = told["items"].as_array().unwrap().iter().map(|entry| entry["kind"].clone()).collect();
    kinds.sort_by_key(Value::to_string);
    assert_eq!(kinds, ["invitation.accepted", "invitation.issued", "project.member_added"]);
}

#[actix_web::test]
async fn version_2_names_invitations_by_typed_ids() {
    let it = Inviting::new().await;
    let eve = it.world.person("eve").await;
    it.invite("eve").await;
    let own = it.world.get("/api/v2/invitations").by(&eve).send().await.expect(200);
    let id = own["items"][0]["id"].as_str().unwrap();
    assert!(id.starts_with("inv_"), "{own}");
    it.world.post(&format!("/api/v2/invitations/{id}/accept")).by(&eve).json(&json!({})).send().await.expect(200);
    assert!(it.sees_the_project(&eve).await);
}

#[actix_web::test]
async fn an_invitation_is_shown_without_its_token() {
    let it = Inviting::new().await;
    let mut invitation = it.invite("eve").await;
    let one = format!("{}/{}", it.path(), invitation["id"].as_str().unwrap());
    invitation.as_object_mut().unwrap().remove("token");
    assert_eq!(it.world.get(&one).by(&it.ada).send().await.expect(200), invitation);
}

#[actix_web::test]
async fn an_invitation_that_has_ended_is_shown_as_it_ended() {
    let it = Inviting::new().await;
    let eve = it.world.person("eve").await;
    let invitation = it.invite("eve").await;
    let one = format!("{}/{}", it.path(), invitation["id"].as_str().unwrap());
    let open = it.world.get(&one).by(&it.ada).send().await.header("etag").to_owned();
    it.answer(&eve, &invitation, "decline", &json!({})).await.expect(200);
    let ended = it.world.get(&one).by(&it.ada).header("if-none-match", &open).send().await.expect(200);
    assert_eq!((ended["status"].as_str(), &ended["email"]), (Some("declined"), &Value::Null));
}

#[actix_web::test]
async fn an_invitation_is_not_found_in_another_project() {
    let it = Inviting::new().await;
    let invitation = it.invite("eve").await;
    let elsewhere = it.world.project(&it.ada).await;
    let one = format!("/api/v1/projects/{elsewhere}/invitations/{}", invitation["id"].as_str().unwrap());
    it.world.get(&one).by(&it.ada).send().await.refused(404, "not_found");
}
