//! Secrets of tools from the point of view of their owner and of an attacker.

use actix_web::http::Method;
use devskyy_application::es::{EventFilter, EventStore as _};
use serde_json::{Value, json};

use crate::{owned::Owned, world::Answer};

const VALUE: &str = "tr-0123456789abcdefWXYZ";

impl Owned {
    async fn secret(&self) -> Value {
        self.add(&tracker()).await.expect(201)
    }

    async fn replace_secret(&self, secret: &Value, body: &Value) -> Answer {
        self.call(Method::PUT, &self.one(secret)).json(body).send().await
    }

    async fn publish(&self, headers: Value, url: &str) -> Answer {
        self.publish_request(&json!({"method": "GET", "url": url, "headers": headers})).await
    }

    async fn publish_request(&self, request: &Value) -> Answer {
        let tools = json!({"ask": {"kind": "http", "effect": "read_only", "request": request}});
        let definition = json!({"tools": tools, "steps": [{"id": "ask", "tool": "ask"}]});
        let body = json!({"name": "Asker", "type": "workflow", "project_id": self.project, "definition": definition});
        self.call(Method::POST, "/api/v1/agents").json(&body).send().await
    }
}

fn tracker() -> Value {
    json!({"name": "tracker", "value": VALUE, "hosts": ["tracker.example.org"]})
}

fn wrong(problem: &Value) -> (&str, &str) {
    let error = &problem["errors"][0];
    (error["code"].as_str().unwrap(), error["pointer"].as_str().unwrap())
}

#[actix_web::test]
async fn a_secret_shows_everything_but_its_value() {
    let shown = Owned::new("secrets").await.secret().await;
    let names: Vec<_> = shown.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["created_at", "hosts", "id", "name", "project_id", "updated_at", "version"]);
}

#[actix_web::test]
async fn no_answer_repeats_a_value() {
    let it = Owned::new("secrets").await;
    let added = it.add(&tracker()).await;
    let one = it.one(&added.expect(201));
    let shown = it.world.get(&one).by(&it.ada).send().await;
    let listed = it.world.get(&it.all()).by(&it.ada).send().await;
    let refused = it.add(&json!({"name": "a b", "value": VALUE, "hosts": ["a"]})).await;
    let replaced = it.call(Method::PUT, &one).json(&json!({"value": VALUE})).send().await;
    assert!([added, shown, listed, refused, replaced].iter().all(|answer| !answer.text().contains("0123456789")));
}

#[actix_web::test]
async fn no_event_holds_a_value() {
    let it = Owned::new("secrets").await;
    it.secret().await;
    let page = it.world.store.read_all(0, 100, &EventFilter::default()).await.unwrap();
    let log = format!("{:?}", page.events);
    assert!(log.contains("secret.added") && !log.contains("0123456789"));
}

#[actix_web::test]
async fn a_replaced_secret_keeps_its_hosts_where_none_are_named() {
    let it = Owned::new("secrets").await;
    let secret = it.secret().await;
    let replaced = it.replace_secret(&secret, &json!({"value": "tr-another"})).await.expect(200);
    assert_eq!((&replaced["hosts"], &replaced["version"]), (&json!(["tracker.example.org"]), &json!(2)));
}

#[actix_web::test]
async fn hosts_cannot_change_without_the_value() {
    let it = Owned::new("secrets").await;
    let secret = it.secret().await;
    assert_eq!(it.replace_secret(&secret, &json!({"hosts": ["evil.example.org"]})).await.status.as_u16(), 422);
}

#[actix_web::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let problem =
        Owned::new("secrets").await.add(&json!({"name": "a b", "value": "short", "hosts": ["A"]})).await.expect(422);
    let pointers: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|it| it["pointer"].as_str()).collect();
    assert_eq!(pointers, [Some("/hosts/0"), Some("/name"), Some("/value")]);
}

#[actix_web::test]
async fn a_name_is_taken_until_its_secret_is_removed() {
    let it = Owned::new("secrets").await;
    let secret = it.secret().await;
    let taken = it.add(&tracker()).await.expect(409)["code"].clone();
    it.call(Method::DELETE, &it.one(&secret)).send().await.expect(204);
    assert_eq!((taken.as_str(), it.add(&tracker()).await.status.as_u16()), (Some("secret.name_taken"), 201_u16));
}

#[actix_web::test]
async fn the_secrets_of_others_do_not_exist() {
    let it = Owned::new("secrets").await;
    let secret = it.secret().await;
    let eve = it.world.person("eve").await;
    assert_eq!(it.world.get(&it.one(&secret)).by(&eve).send().await.status.as_u16(), 404);
}

#[actix_web::test]
async fn a_definition_may_insert_a_secret_of_its_project() {
    let it = Owned::new("secrets").await;
    it.secret().await;
    let headers = json!({"Authorization": "Bearer {{ secrets.tracker }}"});
    assert_eq!(it.publish(headers, "https://tracker.example.org/").await.status.as_u16(), 201);
}

#[actix_web::test]
async fn a_definition_with_an_unknown_secret_is_refused_at_its_header() {
    let it = Owned::new("secrets").await;
    let problem = it.publish(json!({"X-Key": "{{ secrets.tracker }}"}), "https://a.example.org/").await.expect(422);
    let at = "/definition/tools/ask/request/headers/X-Key";
    assert_eq!(wrong(&problem), ("workflow.secret_unknown", at));
}

#[actix_web::test]
async fn a_definition_with_a_secret_in_an_address_is_refused() {
    let it = Owned::new("secrets").await;
    it.secret().await;
    let problem = it.publish(json!({}), "https://a.example.org/?key={{ secrets.tracker }}").await.expect(422);
    assert_eq!(wrong(&problem), ("workflow.secret_misused", "/definition/tools/ask/request/url"));
}

#[actix_web::test]
async fn a_definition_that_changes_a_secret_is_refused() {
    let it = Owned::new("secrets").await;
    it.secret().await;
    let problem = it.publish(json!({"X-Key": "{{ secrets.tracker | upper }}"}), "https://a.org/").await.expect(422);
    assert_eq!(problem["errors"][0]["code"], "workflow.secret_misused");
}

#[actix_web::test]
async fn a_definition_whose_body_reads_a_secret_in_a_program_is_refused() {
    let it = Owned::new("secrets").await;
    it.secret().await;
    let body = json!({"key": {"$jq": ".secrets.tracker"}});
    let request = json!({"method": "POST", "url": "https://tracker.example.org/", "body": body});
    let problem = it.publish_request(&request).await.expect(422);
    assert_eq!(wrong(&problem), ("workflow.secret_misused", "/definition/tools/ask/request/body/key/$jq"));
}

#[actix_web::test]
async fn each_mistake_has_its_own_code() {
    let it = Owned::new("secrets").await;
    let hosts: Vec<_> = (0..21).map(|n| format!("h{n}.example.org")).collect();
    for (member, value, code) in [
        ("name", json!("a b"), "secret.name_format"),
        ("value", json!("short"), "secret.value_format"),
        ("hosts", json!(["A b"]), "secret.host_format"),
        ("hosts", json!(hosts), "secret.host_count"),
    ] {
        let mut body = tracker();
        body[member] = value;
        it.add(&body).await.refused(422, code);
    }
}
