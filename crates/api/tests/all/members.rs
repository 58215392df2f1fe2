use actix_web::http::Method;
use serde_json::json;

use crate::{
    owned::Owned,
    world::{Answer, World},
};

/// Ada's project with Eve as a viewer, and the response to adding her.
struct Joined {
    it: Owned,
    eve: String,
    added: Answer,
}

impl Joined {
    async fn new() -> Self {
        let it = Owned::new("members").await;
        let eve = it.acquaintance("eve").await;
        let added = it.join("eve", "viewer").await;
        added.expect(201);
        Self { it, eve, added }
    }

    /// Eve's path as a member.
    fn eve(&self) -> &str {
        self.added.header("location")
    }
}

#[actix_web::test]
async fn a_person_added_by_e_mail_can_be_promoted_and_can_leave() {
    let Joined { it, eve, added } = Joined::new().await;
    assert_eq!(added.expect(201)["role"], "viewer");
    let listed = it.world.get(&it.all()).by(&eve).send().await.expect(200);
    assert_eq!(listed["total"], 2, "{listed}");

    let one = added.header("location");
    let changed = it.call(Method::PATCH, one).json(&json!({"role": "maintainer"})).send().await;
    assert_eq!(changed.expect(200)["role"], "maintainer");
    assert_eq!(it.world.call(Method::DELETE, one).by(&eve).send().await.status, 204);
    it.world.get(&it.all()).by(&eve).send().await.refused(404, "not_found");
}

#[actix_web::test]
async fn a_member_is_shown_with_the_tag_that_adding_them_was_answered_with() {
    let joined = Joined::new().await;
    let shown = joined.it.call(Method::GET, joined.eve()).send().await;
    assert_eq!((shown.expect(200), shown.header("etag")), (joined.added.expect(201), joined.added.header("etag")));
}

#[actix_web::test]
async fn a_member_is_changed_only_on_the_state_that_was_shown() {
    let joined = Joined::new().await;
    let seen = joined.it.call(Method::GET, joined.eve()).send().await.header("etag").to_owned();
    let promote = || joined.it.call(Method::PATCH, joined.eve()).header("if-match", &seen);
    promote().json(&json!({"role": "maintainer"})).send().await.expect(200);
    promote().json(&json!({"role": "owner"})).send().await.refused(412, "stale_version");
}

#[actix_web::test]
async fn another_name_of_a_member_is_a_new_state() {
    let joined = Joined::new().await;
    let rename = joined.it.world.call(Method::PATCH, "/api/v1/auth/me").by(&joined.eve);
    rename.json(&json!({"name": "Evelyn"})).send().await.expect(200);
    let again = joined.it.call(Method::GET, joined.eve()).header("if-none-match", joined.added.header("etag"));
    assert_eq!(again.send().await.expect(200)["name"], "Evelyn");
}

#[actix_web::test]
async fn whoever_is_no_member_is_not_shown_as_one() {
    let it = Owned::new("members").await;
    let eve = it.world.person("eve").await;
    let eve = it.world.get("/api/v1/auth/me").by(&eve).send().await.expect(200);
    it.call(Method::GET, &it.one(&eve)).send().await.refused(404, "not_found");
}

#[actix_web::test]
async fn a_viewer_cannot_add_members() {
    let Joined { it, eve, .. } = Joined::new().await;
    let body = json!({"email": "eve@example.org", "role": "viewer"});
    let head = it.world.head().await;
    it.world.post(&it.all()).by(&eve).json(&body).send().await.refused(403, "forbidden");
    assert_eq!(it.world.head().await, head);
}

#[actix_web::test]
async fn the_last_owner_stays() {
    let world = World::new();
    let ada = world.person("ada").await;
    let me = world.get("/api/v1/auth/me").by(&ada).send().await.expect(200);
    let one = format!("/api/v1/projects/{}/members/{}", world.project(&ada).await, me["id"].as_str().unwrap());
    world.call(Method::DELETE, &one).by(&ada).send().await.refused(409, "project.last_owner");
    let body = json!({"role": "viewer"});
    world.call(Method::PATCH, &one).by(&ada).json(&body).send().await.refused(409, "project.last_owner");
}

#[actix_web::test]
async fn a_member_is_named_in_exactly_one_way() {
    let world = World::new();
    let ada = world.person("ada").await;
    let members = format!("/api/v1/projects/{}/members", world.project(&ada).await);
    let both = json!({"email": "e@example.org", "user_id": "01938f2e-0000-7000-8000-000000000000", "role": "viewer"});
    for body in [json!({"role": "viewer"}), both] {
        world.post(&members).by(&ada).json(&body).send().await.refused_at(422, "request.one_of", "");
    }
}

#[actix_web::test]
async fn whether_a_stranger_has_an_account_is_not_told() {
    let world = World::new();
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let me = world.get("/api/v1/auth/me").by(&eve).send().await.expect(200);
    let members = format!("/api/v1/projects/{}/members", world.project(&ada).await);
    let mut told = Vec::new();
    for person in [
        json!({"email": "eve@example.org"}),
        json!({"email": "nobody@example.org"}),
        json!({"user_id": me["id"]}),
        json!({"user_id": "01938f2e-0000-7000-8000-000000000000"}),
    ] {
        let mut body = person;
        body["role"] = json!("viewer");
        let answer = world.post(&members).by(&ada).json(&body).send().await;
        let mut problem = answer.refused(422, "project.person_unknown");
        problem["request_id"] = json!(null);
        told.push(problem);
    }
    assert!(told.iter().all(|it| *it == told[0]), "{told:#?}");
}

#[actix_web::test]
async fn a_stranger_is_not_added_without_being_asked() {
    let world = World::new();
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let project = format!("/api/v1/projects/{}", world.project(&ada).await);
    let body = json!({"email": "eve@example.org", "role": "viewer"});
    world.post(&format!("{project}/members")).by(&ada).json(&body).send().await;
    world.get(&project).by(&eve).send().await.refused(404, "not_found");
}

#[actix_web::test]
async fn whoever_runs_the_platform_adds_anybody() {
    let world = World::new();
    let (root, ada) = (crate::audit::root(&world).await, world.person("ada").await);
    world.person("eve").await;
    let members = format!("/api/v1/projects/{}/members", world.project(&ada).await);
    let body = json!({"email": "eve@example.org", "role": "viewer"});
    world.post(&members).by(&root).json(&body).send().await.expect(201);
}

#[actix_web::test]
async fn unknown_people_and_roles_are_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    let members = format!("/api/v1/projects/{}/members", world.project(&ada).await);
    let body = json!({"email": "nobody@example.org", "role": "viewer"});
    world.post(&members).by(&ada).json(&body).send().await.refused(422, "project.person_unknown");
    let body = json!({"email": "ada@example.org", "role": "king"});
    world.post(&members).by(&ada).json(&body).send().await.refused_at(422, "project.role_unknown", "/role");
}

#[actix_web::test]
async fn a_change_based_on_an_old_project_is_refused() {
    let it = Owned::new("members").await;
    it.acquaintance("eve").await;
    let body = json!({"email": "eve@example.org", "role": "viewer"});
    let head = it.world.head().await;
    let answer = it.call(Method::POST, &it.all()).header("if-match", "\"7\"").json(&body).send().await;
    answer.refused(412, "stale_version");
    assert_eq!(it.world.head().await, head);
}
