//! Requests that are sent again under their `Idempotency-Key`.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::world::{Answer, World, agent, definition};

const KEY: &str = "order-4711";

/// A request that creates something, and another one for the same place.
struct Creating {
    path: String,
    body: Value,
    other: Value,
}

/// Ada, her project, her agent, and everything that can be created.
struct Everything {
    world: World,
    ada: String,
    project: String,
    agent: String,
}

impl Everything {
    async fn new() -> Self {
        let world = World::new();
        let ada = world.person("ada").await;
        let project = world.project(&ada).await;
        let mut body = agent("Keeper");
        body["project_id"] = json!(project);
        let made = world.post("/api/v1/agents").by(&ada).json(&body).send().await.expect(201);
        let agent = made["id"].as_str().unwrap().to_owned();
        Self { world, ada, project, agent }
    }

    async fn creating(&self) -> Vec<Creating> {
        let kim = self.world.person("kim").await;
        let kim = self.world.get("/api/v1/auth/me").by(&kim).send().await.expect(200);
        let keys = format!("/api/v1/projects/{}/api-keys", self.project);
        let key = |name: &str| json!({"name": name, "role": "viewer", "expires_at": "2026-03-01T00:00:00Z"});
        let issued = self.world.post(&keys).by(&self.ada).json(&key("old")).send().await.expect(201);
        let account = |name: &str| json!({"email": "lin@example.org", "password": "Analytical1843", "name": name});
        let member = |role: &str| json!({"user_id": kim["id"], "role": role});
        let (agent_path, members) = (self.of_agent(""), format!("/api/v1/projects/{}/members", self.project));
        let case = |path: &str, body, other| Creating { path: path.to_owned(), body, other };
        vec![
            case("/api/v1/auth/register", account("Lin"), account("Li")),
            case("/api/v1/projects", json!({"name": "One"}), json!({"name": "Two"})),
            case(&members, member("viewer"), member("operator")),
            case(&keys, key("deploy"), key("watch")),
            case(
                &format!("{keys}/{}/rotate", issued["id"].as_str().unwrap()),
                json!({"overlap_s": 60}),
                json!({"overlap_s": 61}),
            ),
            case("/api/v1/agents", agent("Greeter"), agent("Greeting")),
            case(
                &format!("{agent_path}/versions"),
                json!({"definition": definition("more")}),
                json!({"definition": definition("less")}),
            ),
            case(&format!("{agent_path}/execute"), json!({"input": 1}), json!({"input": 2})),
        ]
    }

    fn of_agent(&self, rest: &str) -> String {
        format!("/api/v1/agents/{}{rest}", self.agent)
    }

    async fn send(&self, path: &str, body: &Value) -> Answer {
        let call = self.world.post(path).header("idempotency-key", KEY).json(body);
        if path.ends_with("/register") { call.send().await } else { call.by(&self.ada).send().await }
    }

    async fn done(&self, path: &str) {
        self.world.post(path).by(&self.ada).send().await.expect(200);
    }
}

/// What was answered, without what is shown once.
fn told(answer: &Answer) -> Value {
    assert!(answer.status.is_success(), "{}", answer.text());
    let mut told: Value = serde_json::from_slice(&answer.body).unwrap();
    told.as_object_mut().unwrap().remove("key");
    json!([answer.status.as_u16(), answer.header("location"), told])
}

#[actix_web::test]
async fn whatever_is_created_twice_under_one_key_is_created_once() {
    for case in 0..8 {
        let all = Everything::new().await;
        let Creating { path, body, .. } = all.creating().await.swap_remove(case);
        let first = all.send(&path, &body).await;
        let head = all.world.head().await;
        assert_eq!(told(&all.send(&path, &body).await), told(&first), "{path}");
        assert_eq!(all.world.head().await, head, "{path}");
    }
}

#[actix_web::test]
async fn a_key_is_good_for_one_request() {
    for case in 0..8 {
        let all = Everything::new().await;
        let Creating { path, body, other } = all.creating().await.swap_remove(case);
        told(&all.send(&path, &body).await);
        let head = all.world.head().await;
        all.send(&path, &other).await.refused(422, "idempotency.key_reused");
        assert_eq!(all.world.head().await, head, "{path}");
    }
}

#[actix_web::test]
async fn of_eight_equal_requests_at_once_one_has_an_effect() {
    for case in 0..8 {
        let (one, eight) = (Everything::new().await, Everything::new().await);
        let Creating { path, body, .. } = one.creating().await.swap_remove(case);
        one.send(&path, &body).await;
        let Creating { path, body, .. } = eight.creating().await.swap_remove(case);
        let answers = join_all((0..8).map(|_| eight.send(&path, &body))).await;
        let (early, answers): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 409);
        early.iter().for_each(|answer| drop(answer.refused(409, "idempotency.in_flight")));
        assert!(answers.iter().all(|answer| told(answer) == told(&answers[0])), "{path}");
        assert_eq!(eight.world.head().await, one.world.head().await, "{path}");
    }
}

#[actix_web::test]
async fn a_repetition_of_what_is_still_being_answered_is_told_to_wait() {
    let all = Everything::new().await;
    let (path, body) = (all.of_agent("/execute"), json!({"wait_s": 2}));
    let early = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let answer = all.send(&path, &body).await;
        all.world.clock.advance(Duration::from_secs(2));
        answer
    };
    let (first, early) = tokio::join!(all.send(&path, &body), early);
    early.refused(409, "idempotency.in_flight");
    assert_eq!(early.header("retry-after"), "1");
    let again = json!({"wait_s": 2});
    let again = all.send(&path, &again);
    let passing = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        all.world.clock.advance(Duration::from_secs(2));
    };
    let (again, ()) = tokio::join!(again, passing);
    assert_eq!(told(&again)[2]["id"], told(&first)[2]["id"]);
}

#[actix_web::test]
async fn somebody_elses_request_under_the_same_key_is_no_repetition() {
    let all = Everything::new().await;
    let (path, body) = (all.of_agent("/execute"), json!({"wait_s": 2}));
    let eve = all.world.person("eve").await;
    let other = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let call = all.world.post("/api/v1/projects").by(&eve).header("idempotency-key", KEY);
        let answer = call.json(&json!({"name": "Mine"})).send().await;
        all.world.clock.advance(Duration::from_secs(2));
        answer
    };
    let (_, other) = tokio::join!(all.send(&path, &body), other);
    other.expect(201);
}

#[actix_web::test]
async fn keys_of_different_requests_meet_wherever_they_are_sent() {
    let all = Everything::new().await;
    all.send("/api/v1/projects", &json!({"name": "One"})).await.expect(201);
    all.send("/api/v1/agents", &agent("Greeter")).await.refused(422, "idempotency.key_reused");
}

#[actix_web::test]
async fn what_was_published_twice_in_a_row_is_known_by_key_too() {
    let all = Everything::new().await;
    let path = all.of_agent("/versions");
    let present = json!({"definition": definition("hello")});
    assert_eq!(all.send(&path, &present).await.expect(201)["number"], 1);
    let other = json!({"definition": definition("more")});
    all.send(&path, &other).await.refused(422, "idempotency.key_reused");
    all.world.post(&path).by(&all.ada).json(&other).send().await.expect(201);
    assert_eq!(all.send(&path, &present).await.expect(201)["number"], 1);
}

#[actix_web::test]
async fn a_repeated_start_is_the_first_run_whatever_became_of_the_agent() {
    for verb in ["pause", "archive"] {
        let all = Everything::new().await;
        let first = all.send(&all.of_agent("/execute"), &json!({"input": 1})).await.expect(202);
        all.done(&all.of_agent(&format!("/{verb}"))).await;
        let again = all.send(&all.of_agent("/execute"), &json!({"input": 1})).await.expect(202);
        assert_eq!(again["id"], first["id"], "{verb}");
        all.send(&all.of_agent("/execute"), &json!({"input": 2})).await.refused(422, "idempotency.key_reused");
    }
}

#[actix_web::test]
async fn a_method_that_is_not_taken_is_refused_as_such_also_under_a_key_in_use() {
    let all = Everything::new().await;
    let path = all.of_agent("/execute");
    let other = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let call = all.world.call(actix_web::http::Method::DELETE, &path).by(&all.ada);
        let answer = call.header("idempotency-key", KEY).send().await;
        all.world.clock.advance(Duration::from_secs(2));
        answer
    };
    let waiting = json!({"wait_s": 2});
    let (_, other) = tokio::join!(all.send(&path, &waiting), other);
    other.refused(405, "request.method_not_allowed");
}

#[actix_web::test]
async fn a_repeated_start_is_the_first_run_in_a_project_on_hold() {
    let all = Everything::new().await;
    let first = all.send(&all.of_agent("/execute"), &json!({"input": 1})).await.expect(202);
    all.done(&format!("/api/v1/projects/{}/suspend", all.project)).await;
    assert_eq!(all.send(&all.of_agent("/execute"), &json!({"input": 1})).await.expect(202)["id"], first["id"]);
}

#[actix_web::test]
async fn a_repeated_publication_is_the_first_version_whatever_came_since() {
    let all = Everything::new().await;
    let path = all.of_agent("/versions");
    let more = json!({"definition": definition("more")});
    let first = all.world.get(&all.of_agent("")).by(&all.ada).send().await;
    let publish = || {
        let call = all.world.post(&path).by(&all.ada).header("idempotency-key", KEY);
        call.header("if-match", first.header("etag")).json(&more).send()
    };
    assert_eq!(publish().await.expect(201)["number"], 2);
    let less = json!({"definition": definition("less")});
    all.world.post(&path).by(&all.ada).json(&less).send().await.expect(201);
    assert_eq!(publish().await.expect(201)["number"], 2);
    all.done(&all.of_agent("/archive")).await;
    assert_eq!(publish().await.expect(201)["number"], 2);
}

#[actix_web::test]
async fn a_refused_request_leaves_its_key_unused() {
    let all = Everything::new().await;
    all.done(&all.of_agent("/pause")).await;
    all.send(&all.of_agent("/execute"), &json!({"input": 1})).await.refused(409, "run.agent_inactive");
    all.done(&all.of_agent("/resume")).await;
    all.send(&all.of_agent("/execute"), &json!({"input": 2})).await.expect(202);

    let all = Everything::new().await;
    let taken = |name: &str| json!({"name": name, "type": "workflow", "project_id": all.project});
    all.send("/api/v1/agents", &taken("keeper")).await.refused(409, "agent.name_taken");
    all.send("/api/v1/agents", &taken("Sweeper")).await.expect(201);
}

#[actix_web::test]
async fn who_may_not_ask_any_more_is_not_told_what_was_answered() {
    let all = Everything::new().await;
    let kim = all.world.person("kim").await;
    let me = all.world.get("/api/v1/auth/me").by(&kim).send().await.expect(200);
    let members = format!("/api/v1/projects/{}/members", all.project);
    let member = json!({"user_id": me["id"], "role": "operator"});
    all.world.post(&members).by(&all.ada).json(&member).send().await.expect(201);
    let execute = all.of_agent("/execute");
    let start = || {
        let call = all.world.post(&execute).by(&kim).header("idempotency-key", KEY);
        call.json(&json!({"input": 1})).send()
    };
    start().await.expect(202);
    let leave = format!("{members}/{}", me["id"].as_str().unwrap());
    all.world.call(actix_web::http::Method::DELETE, &leave).by(&kim).send().await;
    start().await.refused(404, "not_found");
}
