//! Assistants over HTTP.

use actix_web::body::{BoxBody, MessageBody};
use serde_json::{Value, json};

use crate::world::World;

fn assistant(tools: &Value) -> Value {
    let definition = json!({"model": "scripted/one", "instructions": "Be brief.", "tools": tools});
    json!({"name": "Clever", "type": "assistant", "definition": definition})
}

fn paying() -> Value {
    json!({"pay": {
        "kind": "http", "effect": "idempotent", "description": "Pays.", "input_schema": {"type": "object"}, "approval": "always",
        "request": {"method": "POST", "url": "https://shop.example/pay", "send_arguments": true}
    }})
}

/// Starts a run of a new assistant and returns its path.
pub(crate) async fn started(world: &World, token: &str, tools: &Value) -> String {
    executed(world, token, &assistant(tools)).await
}

async fn executed(world: &World, token: &str, body: &Value) -> String {
    let made = world.post("/api/v1/agents").by(token).json(body).send().await.expect(201);
    assert_eq!(made["status"], "active");
    let path = format!("/api/v1/agents/{}/execute", made["id"].as_str().unwrap());
    let run = world.post(&path).by(token).json(&json!({"input": "Hello"})).send().await.expect(202);
    format!("/api/v1/runs/{}", run["id"].as_str().unwrap())
}

#[actix_web::test]
async fn an_assistant_answers_and_shows_what_it_used() {
    let world = World::new();
    let ada = world.person("ada").await;
    let path = started(&world, &ada, &json!({})).await;
    world.work();
    let run = world.until(&path, &ada, |run| run["status"] == "completed").await;
    assert_eq!((run["output"].as_str(), &run["usage"]["model_calls"]), (Some("Answer one"), &json!(1)));
    assert_eq!((&run["usage"]["tokens"]["input"], &run["steps"][0]["tokens"]["output"]), (&json!(10), &json!(5)));
    assert_eq!((&run["steps"][0]["kind"], &run["steps"][0]["model"]), (&json!("model"), &json!("scripted/one")));
}

#[actix_web::test]
async fn a_version_of_an_assistant_is_read_back_as_it_was_written() {
    let world = World::new();
    let ada = world.person("ada").await;
    let made = world.post("/api/v1/agents").by(&ada).json(&assistant(&paying())).send().await.expect(201);
    let path = format!("/api/v1/agents/{}/versions/1", made["id"].as_str().unwrap());
    let version = world.get(&path).by(&ada).send().await.expect(200);
    assert_eq!(version["definition"]["model"], "scripted/one");
    assert_eq!(version["definition"]["tools"]["pay"]["approval"], "always");
}

#[actix_web::test]
async fn a_call_is_approved_with_other_arguments() {
    let world = World::new();
    let ada = world.person("ada").await;
    let mut tools = paying();
    tools["pay"]["input_schema"]["required"] = json!(["n"]);
    let path = started(&world, &ada, &tools).await;
    world.work();
    let run = world.until(&path, &ada, |run| run["status"] == "waiting").await;
    let approval = &run["steps"][1]["elements"][0]["approval"];
    assert_eq!((&approval["tool"], &approval["data"]), (&json!("pay"), &json!({"n": 1})));
    assert_eq!(approval["arguments_hash"].as_str().map(str::len), Some(64));
    let answer = format!("{path}/approvals/{}", approval["id"].as_str().unwrap());
    let denied = json!({"decision": "deny", "arguments": {"n": 2}});
    world.post(&answer).by(&ada).json(&denied).send().await.refused_at(422, "run.nothing_to_edit", "/arguments");
    let unfit = json!({"decision": "approve", "arguments": {"m": 2}});
    world.post(&answer).by(&ada).json(&unfit).send().await.refused_at(422, "run.arguments_schema", "/arguments");
    let approved = json!({"decision": "approve", "arguments": {"n": 2}});
    world.post(&answer).by(&ada).json(&approved).send().await.expect(200);
    let run = world.until(&path, &ada, |run| run["status"] == "completed").await;
    let element = &run["steps"][1]["elements"][0];
    assert_eq!((&element["approval"]["edited_arguments"], &element["tool"]), (&json!({"n": 2}), &json!("pay")));
}

#[actix_web::test]
async fn a_limit_on_cost_takes_the_price_of_the_providers_list() {
    let world = World::new();
    let ada = world.person("ada").await;
    let mut body = assistant(&json!({}));
    body["definition"]["limits"] = json!({"max_cost_micros": 1_000});
    world.post("/api/v1/agents").by(&ada).json(&body).send().await.expect(201);
}

#[actix_web::test]
async fn an_answer_after_the_time_for_it_is_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    let mut body = assistant(&paying());
    body["definition"]["approval_expires_s"] = json!(60);
    let path = executed(&world, &ada, &body).await;
    let work = world.work();
    let run = world.until(&path, &ada, |run| run["status"] == "waiting").await;
    let approval = run["steps"][1]["elements"][0]["approval"]["id"].as_str().unwrap();
    // No worker is left to notice that the deadline has passed.
    work.abort();
    world.clock.advance(std::time::Duration::from_secs(61));
    let answer = world.post(&format!("{path}/approvals/{approval}")).by(&ada).json(&json!({"decision": "approve"}));
    answer.send().await.refused(409, "run.approval_expired");
}

#[actix_web::test]
async fn a_run_on_its_way_out_takes_no_verdict() {
    let world = World::new();
    let ada = world.person("ada").await;
    let mut body = assistant(&json!({}));
    body["definition"]["model"] = json!("scripted/silent");
    let path = executed(&world, &ada, &body).await;
    let work = world.work();
    world.until(&path, &ada, |run| run["status"] == "running").await;
    // No worker is left to end it.
    work.abort();
    world.post(&format!("{path}/cancel")).by(&ada).json(&json!({})).send().await.expect(200);
    let reconcile = format!("{path}/steps/01938f2e-0000-7000-8000-000000000000/reconcile");
    let verdict = world.post(&reconcile).by(&ada).json(&json!({"verdict": "retry"})).send().await;
    verdict.refused(409, "run.cancelling");
}

async fn whole(mut body: BoxBody) -> String {
    let mut text = String::new();
    loop {
        let mut pinned = std::pin::Pin::new(&mut body);
        let next = std::future::poll_fn(|context| pinned.as_mut().poll_next(context));
        let Some(chunk) = tokio::time::timeout(std::time::Duration::from_secs(10), next).await.unwrap() else {
            return text;
        };
        text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
    }
}

#[actix_web::test]
async fn what_the_model_says_is_streamed_without_ids_between_the_events() {
    let world = World::new();
    let ada = world.person("ada").await;
    let path = started(&world, &ada, &json!({})).await;
    let events = format!("{path}/events");
    let stream = world.get(&events).by(&ada).header("accept", "text/event-stream").open().await;
    world.work();
    let text = whole(stream.into_body()).await;
    let deltas: Vec<_> = text.split("\n\n").filter(|frame| frame.contains("event: run.model_delta")).collect();
    assert!(deltas.len() == 2 && deltas.iter().all(|frame| !frame.contains("id: ")), "{text}");
    assert!(deltas[1].contains(r#""offset":7"#) && deltas[1].contains(r#""text":"one""#), "{text}");
    assert!(text.contains("event: run.model_answered") && text.trim_end().contains("event: run.completed"), "{text}");
}
