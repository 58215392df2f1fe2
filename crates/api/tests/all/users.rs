//! Administrators and the accounts they manage.

use actix_web::http::Method;
use devskyy_application::identity::RegistrationMode;
use serde_json::{Value, json};

use crate::world::World;

const PASSWORD: &str = "Analytical1843";

struct Platform {
    world: World,
    root: String,
}

impl Platform {
    async fn new() -> Self {
        Self::taking_in(RegistrationMode::Open).await
    }

    /// A platform with its first administrator.
    async fn taking_in(mode: RegistrationMode) -> Self {
        let world = World::taking_in(mode);
        let offer = world.state.identity.bootstrap.handle().await.unwrap().unwrap();
        let body = json!({
            "email": "root@example.org", "password": PASSWORD, "name": "root", "bootstrap_token": offer.token
        });
        world.post("/api/v1/auth/register").json(&body).send().await.expect(201);
        let root = log_in(&world, "root").await;
        Self { world, root }
    }

    async fn me(&self, token: &str) -> String {
        let me = self.world.get("/api/v1/auth/me").by(token).send().await.expect(200);
        format!("/api/v1/users/{}", me["id"].as_str().unwrap())
    }

    async fn role(&self, by: &str, user: &str, role: &str) -> crate::world::Answer {
        self.world.call(Method::PATCH, user).by(by).json(&json!({"role": role})).send().await
    }

    async fn register(&self, extra: &Value) -> crate::world::Answer {
        let mut body = json!({"email": "kim@example.org", "password": PASSWORD, "name": "Kim"});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        self.world.post("/api/v1/auth/register").json(&body).send().await
    }
}

async fn log_in(world: &World, name: &str) -> String {
    let body = json!({"email": format!("{name}@example.org"), "password": PASSWORD});
    let answer = world.post("/api/v1/auth/login").json(&body).send().await.expect(200);
    answer["access_token"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn administrators_list_everybody_and_members_nobody() {
    let it = Platform::new().await;
    let ada = it.world.person("ada").await;
    let all = it.world.get("/api/v1/users").by(&it.root).send().await.expect(200);
    assert_eq!((all["total"].as_u64(), &all["items"][1]["email"]), (Some(2), &json!("ada@example.org")));
    let admins = it.world.get("/api/v1/users?role=admin&status=active").by(&it.root).send().await.expect(200);
    assert_eq!(admins["total"], 1);
    it.world.get("/api/v1/users").by(&ada).send().await.refused(403, "forbidden");
    it.world.get("/api/v1/users").send().await.refused(401, "unauthenticated");
}

#[actix_web::test]
async fn another_role_counts_with_the_next_request() {
    let it = Platform::new().await;
    let ada = it.world.person("ada").await;
    let user = it.me(&ada).await;
    assert_eq!(it.role(&it.root, &user, "admin").await.expect(200)["role"], "admin");
    it.world.get("/api/v1/users").by(&ada).send().await.expect(200);
    it.role(&it.root, &user, "member").await.expect(200);
    it.world.get("/api/v1/users").by(&ada).send().await.refused(403, "forbidden");
}

#[actix_web::test]
async fn a_disabled_person_is_out_until_enabled() {
    let it = Platform::new().await;
    let ada = it.world.person("ada").await;
    let user = it.me(&ada).await;
    let disabled = it.world.post(&format!("{user}/disable")).by(&it.root).send().await.expect(200);
    assert_eq!(disabled["status"], "disabled");
    it.world.get("/api/v1/auth/me").by(&ada).send().await.refused(401, "unauthenticated");
    let body = json!({"email": "ada@example.org", "password": PASSWORD});
    it.world.post("/api/v1/auth/login").json(&body).send().await.expect(401);
    it.world.post(&format!("{user}/enable")).by(&it.root).send().await.expect(200);
    log_in(&it.world, "ada").await;
    it.world.get("/api/v1/auth/me").by(&ada).send().await.refused(401, "unauthenticated");
}

#[actix_web::test]
async fn the_last_administrator_stays() {
    let it = Platform::new().await;
    let user = it.me(&it.root).await;
    it.role(&it.root, &user, "member").await.refused(409, "user.last_administrator");
    let disable = it.world.post(&format!("{user}/disable")).by(&it.root).send().await;
    disable.refused(409, "user.last_administrator");
    it.world.call(Method::DELETE, &user).by(&it.root).send().await.refused(409, "user.last_administrator");
}

#[actix_web::test]
async fn of_two_administrators_who_leave_at_once_one_stays() {
    let it = Platform::new().await;
    let ada = it.world.person("ada").await;
    let (root_user, ada_user) = (it.me(&it.root).await, it.me(&ada).await);
    it.role(&it.root, &ada_user, "admin").await.expect(200);
    let (one, other) =
        futures_util::future::join(it.role(&it.root, &ada_user, "member"), it.role(&ada, &root_user, "member")).await;
    let won = [&one, &other].iter().filter(|answer| answer.status == 200).count();
    assert_eq!(won, 1, "{} {}", one.text(), other.text());
}

#[actix_web::test]
async fn an_erased_person_is_forgotten_and_may_come_again_as_somebody_new() {
    let it = Platform::new().await;
    let ada = it.world.person("ada").await;
    let user = it.me(&ada).await;
    assert_eq!(it.world.call(Method::DELETE, &user).by(&it.root).send().await.status, 204);
    it.world.get("/api/v1/auth/me").by(&ada).send().await.refused(401, "unauthenticated");
    let account = it.world.get(&user).by(&it.root).send().await.expect(200);
    assert_eq!(
        (&account["status"], &account["email"], &account["name"]),
        (&json!("erased"), &Value::Null, &Value::Null)
    );
    it.world.post(&format!("{user}/enable")).by(&it.root).send().await.refused(409, "user.erased");
    let again = it.world.person("ada").await;
    assert_ne!(it.me(&again).await, user);
}

#[actix_web::test]
async fn a_registration_repeated_after_its_account_was_erased_finds_nobody() {
    let it = Platform::new().await;
    let account = json!({"email": "ada@example.org", "password": PASSWORD, "name": "Ada"});
    let register = || it.world.post("/api/v1/auth/register").header("idempotency-key", "once").json(&account).send();
    register().await.expect(201);
    let user = it.me(&log_in(&it.world, "ada").await).await;
    it.world.call(Method::DELETE, &user).by(&it.root).send().await;
    register().await.refused(404, "not_found");
}

#[actix_web::test]
async fn an_erased_persons_e_mail_is_kept_by_no_invitation() {
    let it = Platform::new().await;
    let (ada, project) = (it.world.person("ada").await, it.world.project(&it.root).await);
    let path = format!("/api/v1/projects/{project}/invitations");
    let body = json!({"email": "ada@example.org", "role": "viewer"});
    it.world.post(&path).by(&it.root).json(&body).send().await.expect(201);
    assert_eq!(it.world.call(Method::DELETE, &it.me(&ada).await).by(&it.root).send().await.status, 204);
    let listed = it.world.get(&path).by(&it.root).send().await.expect(200);
    assert_eq!((&listed["items"][0]["status"], &listed["items"][0]["email"]), (&json!("open"), &Value::Null));
}

#[actix_web::test]
async fn an_erased_person_stays_erased_when_it_is_asked_twice() {
    let it = Platform::new().await;
    let ada = it.world.person("ada").await;
    let user = it.me(&ada).await;
    for _ in 0..2 {
        assert_eq!(it.world.call(Method::DELETE, &user).by(&it.root).send().await.status, 204);
    }
}

#[actix_web::test]
async fn a_change_based_on_an_old_account_is_refused() {
    let it = Platform::new().await;
    let ada = it.world.person("ada").await;
    let user = it.me(&ada).await;
    let disable = it.world.post(&format!("{user}/disable")).by(&it.root).header("if-match", "\"7\"").send().await;
    disable.refused(412, "stale_version");
}

#[actix_web::test]
async fn a_closed_platform_takes_nobody_in() {
    let it = Platform::taking_in(RegistrationMode::Closed).await;
    it.register(&json!({})).await.refused(403, "user.registration_closed");
}

#[actix_web::test]
async fn a_closed_platform_gives_out_no_invitation_that_it_would_not_take() {
    let it = Platform::taking_in(RegistrationMode::Closed).await;
    let answer = it.world.post("/api/v1/users/invitations").by(&it.root).send().await;
    answer.refused(403, "user.registration_closed");
}

#[actix_web::test]
async fn an_invitation_lets_one_person_in() {
    let it = Platform::taking_in(RegistrationMode::Invite).await;
    it.register(&json!({})).await.refused(403, "user.invitation_refused");
    it.register(&json!({"invitation_token": "made-up"})).await.refused(403, "user.invitation_refused");
    let invitation = it.world.post("/api/v1/users/invitations").by(&it.root).send().await.expect(200);
    let token = json!({"invitation_token": invitation["invitation_token"]});
    it.register(&token).await.expect(201);
    let mut second = token.clone();
    second["email"] = json!("eve@example.org");
    it.register(&second).await.refused(403, "user.invitation_refused");
}

#[actix_web::test]
async fn an_invitation_is_good_for_a_week() {
    let it = Platform::taking_in(RegistrationMode::Invite).await;
    let invitation = it.world.post("/api/v1/users/invitations").by(&it.root).send().await.expect(200);
    it.world.clock.advance(std::time::Duration::from_secs(7 * 86_400));
    let late = it.register(&json!({"invitation_token": invitation["invitation_token"]})).await;
    late.refused(403, "user.invitation_refused");
}

#[actix_web::test]
async fn an_invitation_asked_for_twice_under_one_key_is_one_invitation() {
    let platform = Platform::taking_in(RegistrationMode::Invite).await;
    let invite = || {
        let call = platform.world.post("/api/v1/users/invitations").by(&platform.root);
        call.header("idempotency-key", "for-kim").send()
    };
    let first = invite().await.expect(200);
    assert_eq!(invite().await.expect(200), first);
    platform.register(&json!({"invitation_token": first["invitation_token"]})).await.expect(201);
}

#[actix_web::test]
async fn invitations_under_different_keys_are_different() {
    let platform = Platform::taking_in(RegistrationMode::Invite).await;
    let invite = |key: &'static str| {
        platform.world.post("/api/v1/users/invitations").by(&platform.root).header("idempotency-key", key).send()
    };
    let one = invite("one").await.expect(200);
    assert_ne!(invite("two").await.expect(200)["invitation_token"], one["invitation_token"]);
}

#[actix_web::test]
async fn a_key_used_elsewhere_invites_nobody() {
    let platform = Platform::new().await;
    let keyed = |path: &str| platform.world.post(path).by(&platform.root).header("idempotency-key", "order-4711");
    keyed("/api/v1/projects").json(&json!({"name": "One"})).send().await.expect(201);
    keyed("/api/v1/users/invitations").send().await.refused(422, "idempotency.key_reused");
}

#[actix_web::test]
async fn an_account_is_sent_again_when_only_its_name_has_changed() {
    let it = Platform::new().await;
    let ada = it.world.person("ada").await;
    let path = it.me(&ada).await;
    let etag = it.world.get(&path).by(&it.root).send().await.header("etag").to_owned();
    let again = || it.world.get(&path).by(&it.root).header("if-none-match", &etag);
    assert_eq!(again().send().await.status, 304);
    it.world
        .call(Method::PATCH, "/api/v1/auth/me")
        .by(&ada)
        .json(&json!({"name": "Ada King"}))
        .send()
        .await
        .expect(200);
    assert_eq!(again().send().await.expect(200)["name"], "Ada King");
    let change = it.world.call(Method::PATCH, &path).by(&it.root).header("if-match", &etag);
    change.json(&json!({"role": "admin"})).send().await.expect(200);
}
