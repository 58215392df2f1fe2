//! Requests that are repeated under their `Idempotency-Key`.

use std::{collections::BTreeSet, time::Duration};

use actix_web::http::Method;
use devskyy_api::openapi;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    audit::root,
    world::{Answer, World, agent, definition},
};

pub(crate) const KEY: &str = "order-4711";

/// A request that creates something, and another one for the same place.
pub(crate) struct Creating {
    /// The operation's name in version 1 of the document.
    pub(crate) id: &'static str,
    pub(crate) path: String,
    pub(crate) body: Value,
    other: Value,
}

/// Ada, who administers the platform, her project, her agent, and everything that can be created, in one version.
pub(crate) struct Everything {
    pub(crate) world: World,
    base: &'static str,
    pub(crate) ada: String,
    project: String,
    agent: String,
}

pub(crate) const BASES: [&str; 2] = ["/api/v1", "/api/v2"];

impl Everything {
    pub(crate) async fn new() -> Self {
        Self::of(BASES[0]).await
    }

    /// Everything in that version.
    pub(crate) async fn of(base: &'static str) -> Self {
        let world = World::new();
        let ada = root(&world).await;
        let mut all = Self { world, base, ada, project: String::new(), agent: String::new() };
        all.project = all.made("/projects", &json!({"name": "Supply chain"})).await;
        let mut body = agent("Keeper");
        body["project_id"] = json!(all.project);
        all.agent = all.made("/agents", &body).await;
        all
    }

    /// Creates something in advance, and returns its id.
    async fn made(&self, path: &str, body: &Value) -> String {
        let call = self.world.post(&format!("{}{path}", self.base)).by(&self.ada).json(body);
        call.send().await.expect(201)["id"].as_str().unwrap().to_owned()
    }

    /// A run that has ended.
    async fn ended_run(&self) -> String {
        let worker = self.world.work();
        let execute = self.world.post(&self.of_agent("/execute")).by(&self.ada);
        let run = execute.json(&json!({"input": 0, "wait_s": 30})).send().await.expect(200);
        worker.abort();
        run["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn creating(&self) -> Vec<Creating> {
        let kim = self.world.person("kim").await;
        self.world.acquaint(&self.ada, &kim).await;
        let kim = self.world.get(&format!("{}/auth/me", self.base)).by(&kim).send().await.expect(200);
        let of_project = |rest: &str| format!("/projects/{}/{rest}", self.project);
        let key = |name: &str| json!({"name": name, "role": "viewer", "expires_at": "2026-03-01T00:00:00Z"});
        let issued = self.made(&of_project("api-keys"), &key("old")).await;
        let run = self.ended_run().await;
        let account = |name: &str| json!({"email": "lin@example.org", "password": "Analytical1843", "name": name});
        let member = |role: &str| json!({"user_id": kim["id"], "role": role});
        let guest = |role: &str| json!({"email": "guest@example.org", "role": role});
        let provider = |name: &str| json!({"name": name, "kind": "openai", "base_url": "https://example.org/v1"});
        let secret = |name: &str| json!({"name": name, "value": "tr-0123456789", "hosts": ["example.org"]});
        let published = |text: &str| json!({"definition": definition(text)});
        let (to_agent, to_run) = (format!("/agents/{}", self.agent), format!("/runs/{run}"));
        let case = |id, path: &str, body, other| Creating { id, path: format!("{}{path}", self.base), body, other };
        vec![
            case("register", "/auth/register", account("Lin"), account("Li")),
            case("create_project", "/projects", json!({"name": "One"}), json!({"name": "Two"})),
            case("add_member", &of_project("members"), member("viewer"), member("operator")),
            case("invite_member", &of_project("invitations"), guest("viewer"), guest("operator")),
            case("issue_key", &of_project("api-keys"), key("deploy"), key("watch")),
            case(
                "rotate_key",
                &of_project(&format!("api-keys/{issued}/rotate")),
                json!({"overlap_s": 60}),
                json!({"overlap_s": 61}),
            ),
            case("add_provider", &of_project("providers"), provider("cloud"), provider("house")),
            case("add_secret", &of_project("secrets"), secret("tracker"), secret("mailer")),
            case("create_agent", "/agents", agent("Greeter"), agent("Greeting")),
            case("publish_version", &format!("{to_agent}/versions"), published("more"), published("less")),
            case("execute_agent", &format!("{to_agent}/execute"), json!({"input": 1}), json!({"input": 2})),
            case("retry_run", &format!("{to_run}/retry"), json!({"priority": "low"}), json!({"priority": "high"})),
            case("fork_run", &format!("{to_run}/fork"), json!({"step": "greet"}), json!({"step": "greet", "input": 1})),
        ]
    }

    pub(crate) fn of_agent(&self, rest: &str) -> String {
        format!("{}/agents/{}{rest}", self.base, self.agent)
    }

    pub(crate) async fn send(&self, path: &str, body: &Value) -> Answer {
        self.send_under(KEY, path, body).await
    }

    pub(crate) async fn send_under(&self, key: &str, path: &str, body: &Value) -> Answer {
        let call = self.world.post(path).header("idempotency-key", key).json(body);
        let call = if self.base == BASES[1] { call.header("if-match", "*") } else { call };
        if path.ends_with("/register") { call.send().await } else { call.by(&self.ada).send().await }
    }

    async fn done(&self, path: &str) {
        self.world.post(path).by(&self.ada).send().await.expect(200);
    }
}

/// The response, without what is shown only once.
fn told(answer: &Answer) -> Value {
    assert!(answer.status.is_success(), "{}", answer.text());
    let mut told: Value = serde_json::from_slice(&answer.body).unwrap();
    for once in ["key", "token"] {
        told.as_object_mut().unwrap().remove(once);
    }
    json!([answer.status.as_u16(), answer.header("location"), answer.header("etag"), told])
}

/// What is wrong with the requests that create something, by operation of either version.
fn unrepeatable(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for item in document["paths"].as_object().unwrap().values() {
        let Some(operation) = item.get("post") else { continue };
        let creates =
            operation["responses"].as_object().unwrap().values().any(|it| it["headers"].get("Location").is_some());
        if creates && !takes_key(operation) {
            found.push(format!("{} creates something and takes no `Idempotency-Key`", operation["operationId"]));
        }
    }
    found
}

fn takes_key(operation: &Value) -> bool {
    operation["parameters"].as_array().into_iter().flatten().any(|it| it["name"] == "Idempotency-Key")
}

#[test]
fn whatever_creates_something_can_be_sent_again() {
    assert_eq!(unrepeatable(&serde_json::to_value(openapi()).unwrap()), Vec::<String>::new());
}

#[test]
fn a_request_that_creates_something_and_cannot_be_sent_again_is_caught() {
    let mut document = serde_json::to_value(openapi()).unwrap();
    let answer = json!({"201": {"headers": {"Location": {}}}});
    document["paths"]["/api/v2/wishes"] = json!({"post": {"operationId": "make_wish", "responses": answer}});
    assert_eq!(unrepeatable(&document).len(), 1);
}

#[actix_web::test]
async fn every_operation_that_takes_a_key_is_repeated_here() {
    let document = serde_json::to_value(openapi()).unwrap();
    for base in BASES {
        let items = document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with(base));
        let operations = items.flat_map(|(_, item)| item.as_object().unwrap().values()).filter(|it| takes_key(it));
        let names = operations.map(|it| it["operationId"].as_str().unwrap().trim_start_matches("v2_").to_owned());
        let mut repeated: BTreeSet<_> =
            Everything::of(base).await.creating().await.iter().map(|case| case.id.to_owned()).collect();
        // Has no body that could differ; its repetition is tested below.
        repeated.insert("invite".to_owned());
        assert_eq!(names.collect::<BTreeSet<_>>(), repeated, "{base}");
    }
}

#[actix_web::test]
async fn whatever_is_created_twice_under_one_key_is_created_once() {
    for base in BASES {
        let all = Everything::of(base).await;
        for Creating { id, path, body, .. } in all.creating().await {
            let first = all.send_under(id, &path, &body).await;
            let head = all.world.head().await;
            assert_eq!(told(&all.send_under(id, &path, &body).await), told(&first), "{path}");
            assert_eq!(all.world.head().await, head, "{path}");
        }
    }
}

#[actix_web::test]
async fn an_invitation_to_the_platform_is_given_twice_under_one_key() {
    for base in BASES {
        let all = Everything::of(base).await;
        let invite = || {
            let call = all.world.post(&format!("{base}/users/invitations")).by(&all.ada);
            async { call.header("idempotency-key", KEY).send().await.expect(200) }
        };
        assert_eq!(invite().await, invite().await, "{base}");
    }
}

#[actix_web::test]
async fn a_key_is_good_for_one_request() {
    for base in BASES {
        let all = Everything::of(base).await;
        for Creating { id, path, body, other } in all.creating().await {
            told(&all.send_under(id, &path, &body).await);
            let head = all.world.head().await;
            all.send_under(id, &path, &other).await.refused(422, "idempotency.key_reused");
            assert_eq!(all.world.head().await, head, "{path}");
        }
    }
}

#[actix_web::test]
async fn a_key_that_is_being_answered_is_told_so_wherever_it_is_taken() {
    for base in BASES {
        let all = Everything::of(base).await;
        for Creating { id, path, body, .. } in all.creating().await {
            all.world.moody.hold();
            let again = async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                let again = tokio::time::timeout(Duration::from_secs(20), all.send_under(id, &path, &body)).await;
                all.world.moody.let_go();
                again.expect("an answer, though the first is not done")
            };
            let (first, again) = tokio::join!(all.send_under(id, &path, &body), again);
            again.refused(409, "idempotency.in_flight");
            assert_eq!(again.header("retry-after"), "1", "{path}");
            told(&first);
        }
    }
}

#[actix_web::test]
async fn of_eight_equal_requests_at_once_one_has_an_effect() {
    for base in BASES {
        let (one, eight) = (Everything::of(base).await, Everything::of(base).await);
        let cases = one.creating().await.into_iter().zip(eight.creating().await);
        for (once, Creating { id, path, body, .. }) in cases {
            one.send_under(id, &once.path, &once.body).await;
            let answers = join_all((0..8).map(|_| eight.send_under(id, &path, &body))).await;
            let (early, answers): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 409);
            early.iter().for_each(|answer| drop(answer.refused(409, "idempotency.in_flight")));
            assert!(answers.iter().all(|answer| told(answer) == told(&answers[0])), "{path}");
            assert_eq!(eight.world.head().await, one.world.head().await, "{path}");
        }
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
    assert_eq!(told(&again)[3]["id"], told(&first)[3]["id"]);
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
        let call = all.world.call(Method::DELETE, &path).by(&all.ada);
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
    all.world.acquaint(&all.ada, &kim).await;
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
    all.world.call(Method::DELETE, &leave).by(&kim).send().await;
    start().await.refused(404, "not_found");
}
