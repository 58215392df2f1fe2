//! Budgets over HTTP.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::{
    assistants::started,
    world::{Answer, World},
};

struct Place {
    world: World,
    ada: String,
    budget: String,
}

impl Place {
    async fn new() -> Self {
        let world = World::new();
        let ada = world.person("ada").await;
        let me = world.get("/api/v1/auth/me").by(&ada).send().await.expect(200);
        let budget = format!("/api/v1/projects/{}/budget", me["personal_project_id"].as_str().unwrap());
        Self { world, ada, budget }
    }

    async fn set(&self, body: &Value) -> Answer {
        self.world.call(Method::PUT, &self.budget).by(&self.ada).json(body).send().await
    }

    async fn budget(&self) -> Value {
        self.world.get(&self.budget).by(&self.ada).send().await.expect(200)
    }
}

#[actix_web::test]
async fn a_budget_is_shown_as_it_was_set() {
    let place = Place::new().await;
    place.set(&json!({"max_tokens": 5_000, "max_cost_micros": 70, "period": "total"})).await.expect(200);
    let shown = place.budget().await;
    let terms = (&shown["max_tokens"], &shown["max_cost_micros"], &shown["period"], &shown["version"]);
    assert_eq!(terms, (&json!(5_000), &json!(70), &json!("total"), &json!(1)));
}

#[actix_web::test]
async fn without_a_budget_there_is_none() {
    let place = Place::new().await;
    place.world.get(&place.budget).by(&place.ada).send().await.refused(404, "not_found");
}

#[actix_web::test]
async fn a_removed_budget_is_gone() {
    let place = Place::new().await;
    place.set(&json!({"max_tokens": 5_000, "period": "day"})).await.expect(200);
    place.world.call(Method::DELETE, &place.budget).by(&place.ada).send().await.expect(204);
    place.world.get(&place.budget).by(&place.ada).send().await.refused(404, "not_found");
}

#[actix_web::test]
async fn who_remembers_older_terms_changes_nothing() {
    let place = Place::new().await;
    place.set(&json!({"max_tokens": 5_000, "period": "day"})).await.expect(200);
    place.set(&json!({"max_tokens": 6_000, "period": "day"})).await.expect(200);
    let late = place.world.call(Method::PUT, &place.budget).by(&place.ada).header("If-Match", "\"1\"");
    late.json(&json!({"max_tokens": 7_000, "period": "day"})).send().await.refused(412, "stale_version");
}

#[actix_web::test]
async fn a_budget_without_a_limit_is_refused() {
    let place = Place::new().await;
    place.set(&json!({"period": "day"})).await.refused(422, "budget.unlimited");
}

#[actix_web::test]
async fn a_limit_of_nothing_is_refused() {
    let place = Place::new().await;
    place.set(&json!({"max_tokens": 0, "period": "day"})).await.refused_at(422, "budget.tokens_range", "/max_tokens");
}

#[actix_web::test]
async fn a_limit_of_no_money_is_refused() {
    let place = Place::new().await;
    let refused = place.set(&json!({"max_cost_micros": 0, "period": "day"})).await;
    refused.refused_at(422, "budget.cost_range", "/max_cost_micros");
}

#[actix_web::test]
async fn a_run_that_does_not_fit_fails_and_says_when_the_budget_resets() {
    let place = Place::new().await;
    place.set(&json!({"max_tokens": 10, "period": "day"})).await.expect(200);
    let path = started(&place.world, &place.ada, &json!({})).await;
    place.world.work();
    let run = place.world.until(&path, &place.ada, |run| run["status"] == "failed").await;
    let (code, message) = (&run["error"]["code"], run["error"]["message"].as_str().unwrap());
    assert!(*code == "budget.exhausted" && message.contains("it resets at"), "{code}: {message}");
}

#[actix_web::test]
async fn what_a_run_used_is_shown() {
    let place = Place::new().await;
    place.set(&json!({"max_tokens": 1_000_000, "period": "day"})).await.expect(200);
    let path = started(&place.world, &place.ada, &json!({})).await;
    place.world.work();
    place.world.until(&path, &place.ada, |run| run["status"] == "completed").await;
    let shown = place.budget().await;
    let used = (&shown["used_tokens"]["input"], &shown["used_tokens"]["output"], &shown["reserved"]["tokens"]);
    assert_eq!(used, (&json!(10), &json!(5), &json!(0)));
}
