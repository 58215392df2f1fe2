//! Usage reports over HTTP.

use std::time::Duration;

use devskyy_application::ports::Clock as _;
use serde_json::{Value, json};

use crate::world::{Answer, World};

struct Place {
    world: World,
    ada: String,
    project: String,
}

impl Place {
    /// One of Ada's assistants called a model twice on the first day of 2026 and another once on the second.
    async fn used() -> Self {
        let world = World::new();
        let ada = world.person("ada").await;
        let me = world.get("/api/v1/auth/me").by(&ada).send().await.expect(200);
        let project = me["personal_project_id"].as_str().unwrap().to_owned();
        let mut place = Self { world, ada, project };
        place.world.work();
        place.runs("Clerk", &json!({"pay": paying()})).await;
        place.a_day_passes().await;
        place.runs("Teller", &json!({})).await;
        place
    }

    /// Moves the clock by a day, and signs in again because sessions do not last that long.
    async fn a_day_passes(&mut self) {
        self.world.clock.advance(Duration::from_secs(86_400));
        let body = json!({"email": "ada@example.org", "password": "Analytical1843"});
        let signed_in = self.world.post("/api/v1/auth/login").json(&body).send().await.expect(200);
        self.ada = signed_in["access_token"].as_str().unwrap().to_owned();
    }

    /// Executes a new assistant to the end.
    async fn runs(&self, name: &str, tools: &Value) {
        self.runs_with("scripted/one", name, tools).await;
    }

    async fn runs_with(&self, model: &str, name: &str, tools: &Value) {
        let definition = json!({"model": model, "instructions": "Be brief.", "tools": tools});
        let body = json!({"name": name, "type": "assistant", "definition": definition});
        let made = self.world.post("/api/v1/agents").by(&self.ada).json(&body).send().await.expect(201);
        let path = format!("/api/v1/agents/{}/execute", made["id"].as_str().unwrap());
        let run = self.world.post(&path).by(&self.ada).json(&json!({"input": "Hello"})).send().await.expect(202);
        let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
        self.world.until(&path, &self.ada, |run| run["status"] == "completed").await;
    }

    async fn ask(&self, version: &str, query: &str) -> Answer {
        let prefix = if version == "v2" { "prj_" } else { "" };
        let path = format!("/api/{version}/projects/{prefix}{}/usage{query}", self.project);
        self.world.get(&path).by(&self.ada).send().await
    }

    async fn told(&self, query: &str) -> Value {
        self.ask("v1", query).await.expect(200)
    }
}

/// A tool that echoes.
fn paying() -> Value {
    json!({
        "kind": "http", "effect": "idempotent", "description": "Pays.", "input_schema": {"type": "object"},
        "request": {"method": "POST", "url": "https://shop.example/pay", "send_arguments": true}
    })
}

/// Day, model, calls and tokens read of each item.
fn brief(told: &Value) -> Vec<(Option<&str>, Option<&str>, u64, u64)> {
    let number = |value: &Value| value.as_u64().unwrap();
    let items = told["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            let tokens = number(&item["tokens"]["input"]);
            (item["day"].as_str(), item["model"].as_str(), number(&item["calls"]), tokens)
        })
        .collect()
}

#[actix_web::test]
async fn usage_is_told_by_day_model_and_agent() {
    let place = Place::used().await;
    let told = place.told("").await;
    let one = Some("scripted/one");
    assert_eq!(brief(&told), [(Some("2026-01-01"), one, 2, 20), (Some("2026-01-02"), one, 1, 10)]);
    let agents: Vec<_> = told["items"].as_array().unwrap().iter().map(|item| item["agent_id"].as_str()).collect();
    assert!(agents[0].is_some() && agents[1].is_some() && agents[0] != agents[1], "{told}");
}

#[actix_web::test]
async fn totals_cost_what_the_answers_cost() {
    let place = Place::used().await;
    let told = place.told("?group_by=day&page_size=1").await;
    let totals = json!({
        "calls": 3, "unpriced_calls": 0, "estimated_calls": 0, "cost_micros": 45,
        "tokens": {"input": 30, "output": 15, "cache_read": 0, "cache_write": 0, "reasoning": 0}
    });
    assert_eq!(
        (&told["totals"], &told["total"], told["items"].as_array().map(Vec::len)),
        (&totals, &json!(2), Some(1))
    );
}

#[actix_web::test]
async fn an_answer_whose_provider_does_not_tell_its_usage_is_told_as_an_estimate() {
    let place = Place::used().await;
    place.runs_with("scripted/mute", "Mute", &json!({})).await;
    let told = place.told("?group_by=model").await;
    let estimated = |item: &Value| (item["model"].as_str().map(str::to_owned), item["estimated_calls"].as_u64());
    let each: Vec<_> = told["items"].as_array().unwrap().iter().map(estimated).collect();
    let expected =
        [("scripted/mute", 1), ("scripted/one", 0)].map(|(model, calls)| (Some(model.to_owned()), Some(calls)));
    assert_eq!((each, told["totals"]["estimated_calls"].as_u64()), (expected.to_vec(), Some(1)));
}

#[actix_web::test]
async fn without_a_range_thirty_days_until_today_are_told() {
    let place = Place::used().await;
    let told = place.told("").await;
    assert_eq!((&told["from"], &told["to"]), (&json!("2025-12-04"), &json!("2026-01-03")));
}

#[actix_web::test]
async fn a_range_begins_with_its_first_day_and_ends_before_its_last() {
    let place = Place::used().await;
    let told = place.told("?from=2026-01-01&to=2026-01-02&group_by=day").await;
    assert_eq!(brief(&told), [(Some("2026-01-01"), None, 2, 20)]);
}

#[actix_web::test]
async fn one_agent_is_told_alone() {
    let place = Place::used().await;
    let all = place.told("?group_by=agent").await;
    let agent = all["items"][0]["agent_id"].as_str().unwrap();
    let told = place.told(&format!("?group_by=agent,model&agent_id={agent}")).await;
    assert_eq!((told["items"].as_array().map(Vec::len), &told["items"][0]["agent_id"]), (Some(1), &json!(agent)));
}

#[actix_web::test]
async fn what_is_not_told_apart_is_null() {
    let place = Place::used().await;
    let told = place.told("?group_by=model").await;
    let item = &told["items"][0];
    assert_eq!((&item["day"], &item["agent_id"], &item["model"]), (&Value::Null, &Value::Null, &json!("scripted/one")));
}

#[actix_web::test]
async fn version_2_goes_on_by_cursor_and_types_its_ids() {
    let place = Place::used().await;
    let first = place.ask("v2", "?limit=1").await.expect(200);
    let next = first["next_cursor"].as_str().unwrap();
    let second = place.ask("v2", &format!("?limit=1&cursor={next}")).await.expect(200);
    let walked = [brief(&first), brief(&second)].concat();
    let one = Some("scripted/one");
    assert_eq!(walked, [(Some("2026-01-01"), one, 2, 20), (Some("2026-01-02"), one, 1, 10)]);
    let ids = [&first["project_id"], &first["items"][0]["agent_id"]].map(|id| &id.as_str().unwrap()[..4]);
    assert_eq!((ids, &second["next_cursor"], first.get("page")), (["prj_", "agt_"], &Value::Null, None));
}

#[actix_web::test]
async fn a_cursor_of_another_grouping_is_refused() {
    let place = Place::used().await;
    let first = place.ask("v2", "?limit=1").await.expect(200);
    let query = format!("?limit=1&group_by=day&cursor={}", first["next_cursor"].as_str().unwrap());
    place.ask("v2", &query).await.refused(422, "list.cursor");
}

#[actix_web::test]
async fn each_wrong_parameter_is_named() {
    let place = Place::used().await;
    for (query, code, name) in [
        ("?from=yesterday", "request.parameter", "from"),
        ("?from=2026-1-1", "request.parameter", "from"),
        ("?to=1969-12-31", "request.parameter", "to"),
        ("?to=2026-02-30", "request.parameter", "to"),
        ("?group_by=", "request.parameter", "group_by"),
        ("?group_by=day,colour", "request.parameter", "group_by"),
        ("?agent_id=7", "request.parameter", "agent_id"),
        ("?from=2026-01-02&to=2026-01-02", "usage.range", "to"),
        ("?from=2025-01-01&to=2026-01-03", "usage.range", "to"),
        ("?from=2026-01-03", "usage.range", "from"),
        ("?from=2024-01-01", "usage.range", "from"),
        ("?page_size=101", "list.page_size_range", "page_size"),
        ("?colour=red", "request.unknown_parameter", "colour"),
    ] {
        let problem = place.ask("v1", query).await.refused(422, code);
        assert_eq!(problem["errors"][0]["parameter"], name, "{query}: {problem}");
    }
}

#[actix_web::test]
async fn a_whole_year_can_be_asked_about() {
    let place = Place::used().await;
    assert_eq!(place.told("?from=2025-01-02&to=2026-01-03&group_by=day").await["totals"]["calls"], 3);
}

#[actix_web::test]
async fn usage_is_sent_again_only_when_something_was_used() {
    let place = Place::used().await;
    let path = format!("/api/v1/projects/{}/usage", place.project);
    let tag = place.ask("v1", "").await.header("etag").to_owned();
    let again = || place.world.get(&path).by(&place.ada).header("if-none-match", &tag).send();
    let known = again().await;
    assert_eq!((known.status.as_u16(), known.header("etag"), known.body.len()), (304, tag.as_str(), 0));
    place.runs("Guide", &json!({})).await;
    assert_eq!(again().await.status, 200);
}

#[actix_web::test]
async fn another_range_is_another_state() {
    let mut place = Place::used().await;
    let tag = place.ask("v1", "").await.header("etag").to_owned();
    place.a_day_passes().await;
    assert_ne!(place.ask("v1", "").await.header("etag"), tag);
}

#[actix_web::test]
async fn another_persons_project_does_not_exist() {
    let place = Place::used().await;
    let eve = place.world.person("eve").await;
    for path in
        [format!("/api/v1/projects/{}/usage", place.project), format!("/api/v2/projects/prj_{}/usage", place.project)]
    {
        place.world.get(&path).by(&eve).send().await.refused(404, "not_found");
    }
}

#[actix_web::test]
async fn a_key_needs_the_scope_of_budgets() {
    let place = Place::used().await;
    let usage = format!("/api/v1/projects/{}/usage", place.project);
    for (scope, status) in [("budgets.read", 200), ("runs.read", 403)] {
        let expires_at = place.world.clock.now() + chrono::TimeDelta::days(1);
        let body =
            json!({"name": "meter", "role": "viewer", "expires_at": expires_at, "scopes": ["projects.read", scope]});
        let keys = format!("/api/v1/projects/{}/api-keys", place.project);
        let issued = place.world.post(&keys).by(&place.ada).json(&body).send().await.expect(201);
        let told = place.world.get(&usage).by(issued["key"].as_str().unwrap()).send().await;
        assert_eq!(told.status.as_u16(), status, "{scope}");
    }
}
