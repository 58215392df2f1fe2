//! Providers of models from the point of view of their owner and of an attacker.

use actix_web::http::Method;
use devskyy_application::es::{EventFilter, EventStore as _};
use serde_json::{Value, json};

use crate::{owned::Owned, world::Answer};

const KEY: &str = "sk-proj-0123456789abcdefWXYZ";

impl Owned {
    async fn provider(&self) -> Value {
        self.add(&cloud()).await.expect(201)
    }

    async fn change_provider(&self, provider: &Value, body: &Value) -> Answer {
        self.call(Method::PATCH, &self.one(provider)).json(body).send().await
    }
}

fn cloud() -> Value {
    json!({
        "name": "cloud", "kind": "openai", "base_url": "https://api.example.org/v1/", "key": KEY,
        "models": ["gpt-4o"], "prices": {"gpt-4o": {"input": 2_500_000, "output": 10_000_000}},
    })
}

#[actix_web::test]
async fn a_provider_shows_everything_but_its_key() {
    let shown = Owned::new("providers").await.provider().await;
    let price = json!({"input": 2_500_000, "output": 10_000_000, "cache_read": 0, "cache_write": 0, "reasoning": 0});
    assert_eq!(
        (&shown["base_url"], &shown["prices"]["gpt-4o"], &shown["has_key"], &shown["key_hint"], shown.get("key")),
        (&json!("https://api.example.org/v1"), &price, &json!(true), &json!("WXYZ"), None)
    );
}

#[actix_web::test]
async fn no_answer_repeats_a_key() {
    let it = Owned::new("providers").await;
    let added = it.add(&cloud()).await;
    let one = it.one(&added.expect(201));
    let shown = it.world.get(&one).by(&it.ada).send().await;
    let listed = it.world.get(&it.all()).by(&it.ada).send().await;
    let refused = it.add(&json!({"name": "A", "kind": "openai", "base_url": "https://a.org", "key": KEY})).await;
    assert!([added, shown, listed, refused].iter().all(|answer| !answer.text().contains("0123456789")));
}

#[actix_web::test]
async fn no_event_holds_a_key() {
    let it = Owned::new("providers").await;
    it.provider().await;
    let page = it.world.store.read_all(0, 100, &EventFilter::default()).await.unwrap();
    let log = format!("{:?}", page.events);
    assert!(log.contains("provider.key_set") && !log.contains("0123456789") && !log.contains("WXYZ"));
}

#[actix_web::test]
async fn moving_a_provider_drops_its_key_until_there_is_a_new_one() {
    let it = Owned::new("providers").await;
    let provider = it.provider().await;
    let moved = it.change_provider(&provider, &json!({"base_url": "https://evil.example.org"})).await.expect(200);
    let key = format!("{}/key", it.one(&provider));
    let renewed = it.call(Method::PUT, &key).json(&json!({"key": KEY})).send().await.expect(200);
    let states = [&moved, &renewed].map(|it| (it["has_key"].as_bool(), it["needs_key"].as_bool()));
    assert_eq!(states, [(Some(false), Some(true)), (Some(true), Some(false))]);
}

#[actix_web::test]
async fn a_provider_without_its_key_is_not_reached() {
    let it = Owned::new("providers").await;
    let provider = it.provider().await;
    it.change_provider(&provider, &json!({"base_url": "https://evil.example.org"})).await.expect(200);
    let test = format!("{}/test", it.one(&provider));
    let reached = it.world.post(&test).by(&it.ada).send().await.expect(200);
    assert_eq!(reached["problem"], "it has no key for its address; set one");
}

#[actix_web::test]
async fn a_test_lists_the_models() {
    let it = Owned::new("providers").await;
    let provider = it.provider().await;
    let reached = it.world.post(&format!("{}/test", it.one(&provider))).by(&it.ada).send().await.expect(200);
    assert_eq!(reached, json!({"reachable": true, "models": ["openai-1"], "problem": null}));
}

#[actix_web::test]
async fn a_wrong_key_is_told_by_the_test() {
    let it = Owned::new("providers").await;
    let body = json!({"name": "cloud", "kind": "openai", "base_url": "https://a.org", "key": "wrong-key"});
    let provider = it.add(&body).await.expect(201);
    let reached = it.world.post(&format!("{}/test", it.one(&provider))).by(&it.ada).send().await.expect(200);
    assert_eq!(reached["reachable"], false);
}

#[actix_web::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let it = Owned::new("providers").await;
    let body = json!({"name": "A b", "kind": "magic", "base_url": "ftp://a", "models": [""]});
    let problem = it.add(&body).await.expect(422);
    let pointers: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|it| it["pointer"].as_str()).collect();
    assert_eq!(pointers, [Some("/base_url"), Some("/kind"), Some("/models/0"), Some("/name")]);
}

#[actix_web::test]
async fn an_address_the_operator_does_not_allow_is_refused() {
    let it = Owned::new("providers").await;
    let body = json!({"name": "local", "kind": "openai", "base_url": "http://169.254.169.254/v1"});
    assert_eq!(it.add(&body).await.expect(422)["code"], "provider.base_url_refused");
}

#[actix_web::test]
async fn a_name_is_taken_until_its_provider_is_removed() {
    let it = Owned::new("providers").await;
    let provider = it.provider().await;
    let taken = it.add(&cloud()).await.expect(409)["code"].clone();
    it.call(Method::DELETE, &it.one(&provider)).send().await.expect(204);
    assert_eq!((taken.as_str(), it.add(&cloud()).await.status.as_u16()), (Some("provider.name_taken"), 201_u16));
}

#[actix_web::test]
async fn a_removed_provider_is_not_there() {
    let it = Owned::new("providers").await;
    let provider = it.provider().await;
    it.call(Method::DELETE, &it.one(&provider)).send().await.expect(204);
    assert_eq!(it.world.get(&it.one(&provider)).by(&it.ada).send().await.status.as_u16(), 404);
}

#[actix_web::test]
async fn the_providers_of_others_do_not_exist() {
    let it = Owned::new("providers").await;
    let provider = it.provider().await;
    let eve = it.world.person("eve").await;
    assert_eq!(it.world.get(&it.one(&provider)).by(&eve).send().await.status.as_u16(), 404);
}

#[actix_web::test]
async fn another_price_list_has_the_next_number() {
    let it = Owned::new("providers").await;
    let provider = it.provider().await;
    let priced = it.change_provider(&provider, &json!({"prices": {"gpt-4o": {"input": 1}}})).await.expect(200);
    assert_eq!(priced["prices_version"], 2);
}

#[actix_web::test]
async fn each_mistake_has_its_own_code() {
    let it = Owned::new("providers").await;
    let models: Vec<_> = (0..201).map(|n| format!("m{n}")).collect();
    let cases = [
        ("name", json!("A b"), "provider.name_format", "/name"),
        ("kind", json!("magic"), "provider.kind_unknown", "/kind"),
        ("base_url", json!("ftp://a"), "provider.base_url_format", "/base_url"),
        ("key", json!("two words"), "provider.key_format", "/key"),
        ("models", json!(["a b"]), "provider.model_format", "/models/0"),
        ("models", json!(models), "provider.too_many_models", "/models"),
        ("prices", json!({"gpt-4o": {"input": 1, "output": 1_000_000_000_001_u64}}), "provider.price_range", "/prices"),
    ];
    let head = it.world.head().await;
    for (member, value, code, pointer) in cases {
        let mut body = cloud();
        body[member] = value;
        let problem = it.add(&body).await.refused(422, code);
        assert_eq!((&problem["errors"][0]["pointer"], it.world.head().await), (&json!(pointer), head), "{problem}");
    }
}
