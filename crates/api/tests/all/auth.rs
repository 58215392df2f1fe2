use serde_json::json;

use crate::world::World;

fn ada() -> serde_json::Value {
    json!({"email": "ada@example.org", "password": "Analytical1843", "name": "Ada"})
}

#[actix_web::test]
async fn registering_opens_an_account_with_a_personal_project() {
    let world = World::new();
    let user = world.post("/api/v1/auth/register").json(&ada()).send().await.expect(201);
    assert_eq!((user["email"].as_str(), user["role"].as_str()), (Some("ada@example.org"), Some("member")));
    assert!(user["personal_project_id"].is_string() && user["created_at"].is_string(), "{user}");
    assert!(user.get("password").is_none(), "{user}");
}

#[actix_web::test]
async fn registering_cannot_take_a_role() {
    let world = World::new();
    let mut body = ada();
    body["role"] = json!("admin");
    let answer = world.post("/api/v1/auth/register").json(&body).send().await;
    answer.refused_at(422, "request.unknown_member", "/role");
    assert_eq!(world.head().await, 0);
}

#[actix_web::test]
async fn everything_wrong_with_a_registration_is_said_at_once_and_no_value_comes_back() {
    let world = World::new();
    let body = json!({"email": "nowhere-at-all", "password": "hunter2", "name": ""});
    let answer = world.post("/api/v1/auth/register").json(&body).send().await;
    let problem = answer.refused(422, "request.invalid");
    let pointers: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|fault| &fault["pointer"]).collect();
    assert_eq!(pointers, ["/email", "/name", "/password"]);
    assert!(!answer.text().contains("hunter2") && !answer.text().contains("nowhere"), "{problem}");
    assert_eq!(world.head().await, 0);
}

#[actix_web::test]
async fn an_e_mail_registers_once() {
    let world = World::new();
    world.post("/api/v1/auth/register").json(&ada()).send().await.expect(201);
    let head = world.head().await;
    let answer = world.post("/api/v1/auth/register").json(&ada()).send().await;
    answer.refused_at(409, "user.email_taken", "/email");
    assert_eq!(world.head().await, head);
}

#[actix_web::test]
async fn a_repeated_registration_with_the_same_key_gives_the_same_account() {
    let world = World::new();
    let register = || world.post("/api/v1/auth/register").header("idempotency-key", "r-1").json(&ada()).send();
    let first = register().await.expect(201);
    assert_eq!(register().await.expect(201)["id"], first["id"]);
}

#[actix_web::test]
async fn somebody_elses_key_does_not_show_their_account() {
    let world = World::new();
    let register = |body| world.post("/api/v1/auth/register").header("idempotency-key", "r-1").json(&body).send();
    register(ada()).await.expect(201);
    let mut eve = ada();
    eve["password"] = json!("Different1843");
    let answer = register(eve).await;
    assert!(!answer.text().contains("ada@example.org"), "{}", answer.text());
    assert!(answer.status.is_client_error());
}

#[actix_web::test]
async fn a_wrong_bootstrap_token_is_refused() {
    let world = World::new();
    let mut body = ada();
    body["bootstrap_token"] = json!("guess");
    let answer = world.post("/api/v1/auth/register").json(&body).send().await;
    answer.refused_at(403, "user.bootstrap_refused", "/bootstrap_token");
}

#[actix_web::test]
async fn the_bootstrap_token_makes_the_first_administrator() {
    let world = World::new();
    let offer = world.state.identity.bootstrap.handle().await.unwrap().unwrap();
    let mut body = ada();
    body["bootstrap_token"] = json!(offer.token);
    let user = world.post("/api/v1/auth/register").json(&body).send().await.expect(201);
    assert_eq!(user["role"], "admin");
}

#[actix_web::test]
async fn signing_in_gives_tokens_that_open_the_account() {
    let world = World::new();
    let token = world.person("ada").await;
    let me = world.get("/api/v1/auth/me").by(&token).send().await.expect(200);
    assert_eq!(me["email"], "ada@example.org");
}

#[actix_web::test]
async fn a_wrong_password_and_an_unknown_e_mail_get_the_same_answer() {
    let world = World::new();
    world.person("ada").await;
    let mut answers = Vec::new();
    for (email, password) in [("ada@example.org", "Wrong12345"), ("eve@example.org", "Analytical1843")] {
        let body = json!({"email": email, "password": password});
        let answer = world.post("/api/v1/auth/login").json(&body).send().await;
        answers.push(answer.refused(401, "bad_credentials")["detail"].clone());
    }
    assert_eq!(answers[0], answers[1]);
}

#[actix_web::test]
async fn a_refresh_token_does_not_count_once_its_successor_was_used() {
    let world = World::new();
    world.post("/api/v1/auth/register").json(&ada()).send().await.expect(201);
    let body = json!({"email": "ada@example.org", "password": "Analytical1843"});
    let tokens = world.post("/api/v1/auth/login").json(&body).send().await.expect(200);
    assert_eq!(tokens["token_type"], "Bearer");
    let refresh = |tokens: &serde_json::Value| {
        let body = json!({"refresh_token": tokens["refresh_token"]});
        world.post("/api/v1/auth/refresh").json(&body).send()
    };
    refresh(&tokens).await.expect(200);
    let second = refresh(&tokens).await.expect(200);
    assert_ne!(second["refresh_token"], tokens["refresh_token"]);
    let third = refresh(&second).await.expect(200);
    refresh(&tokens).await.refused(401, "unauthenticated");
    refresh(&third).await.refused(401, "unauthenticated");
}

#[actix_web::test]
async fn signing_out_ends_the_access_token_too() {
    let world = World::new();
    let token = world.person("ada").await;
    let answer = world.post("/api/v1/auth/logout").by(&token).send().await;
    assert_eq!(answer.status, 204);
    world.get("/api/v1/auth/me").by(&token).send().await.refused(401, "unauthenticated");
}

#[actix_web::test]
async fn without_a_token_nothing_is_shown_and_the_answer_says_how_to_sign_in() {
    let world = World::new();
    let answer = world.get("/api/v1/agents").send().await;
    answer.refused(401, "unauthenticated");
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
}

#[actix_web::test]
async fn a_made_up_token_is_refused_whatever_its_scheme() {
    let world = World::new();
    for header in ["Bearer made-up", "Basic YTpi", "Bearer", "Bearer  "] {
        let answer = world.get("/api/v1/auth/me").header("authorization", header).send().await;
        answer.refused(401, "unauthenticated");
    }
}

#[actix_web::test]
async fn strangers_are_turned_away_before_their_body_is_looked_at() {
    let world = World::new();
    world.post("/api/v1/projects").text("{not json").send().await.refused(401, "unauthenticated");
}

#[actix_web::test]
async fn the_public_keys_are_public() {
    let keys = World::new().get("/.well-known/jwks.json").send().await.expect(200);
    assert!(keys["keys"].is_array(), "{keys}");
}

#[actix_web::test]
async fn whoever_guesses_too_often_is_told_how_long_to_wait() {
    let world = World::new();
    let guess = || world.post("/api/v1/auth/login").json(&json!({"email": "a@example.org", "password": "x"})).send();
    for _ in 0..5 {
        guess().await.refused(401, "bad_credentials");
    }
    let answer = guess().await;
    answer.refused(429, "too_many_attempts");
    assert_eq!(answer.header("retry-after"), "900");
}
