use std::time::Duration;

use chrono::TimeDelta;
use devskyy_application::ports::Clock;
use serde_json::{Value, json};

use crate::world::World;

/// A run that waits for the approval of a step; returns its path and the run.
pub(crate) async fn waiting(world: &World, token: &str, step: Value) -> (String, Value) {
    let mut definition = json!({"steps": [step]});
    if definition["steps"][0]["tool"] == "charge" {
        let request = json!({"method": "POST", "url": "https://bank.example.org/charges"});
        definition["tools"] = json!({"charge": {"kind": "http", "effect": "unsafe", "request": request}});
    }
    let body = json!({"name": "Careful", "type": "workflow", "definition": definition});
    let agent = world.post("/api/v1/agents").by(token).json(&body).send().await.expect(201);
    let execute = format!("/api/v1/agents/{}/execute", agent["id"].as_str().unwrap());
    let run = world.post(&execute).by(token).json(&json!({})).send().await.expect(202);
    let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
    world.work();
    let run = world.until(&path, token, |run| run["status"] == "waiting").await;
    (path, run)
}

pub(crate) fn question() -> Value {
    json!({"id": "ask", "approval": {"prompt": "Really?", "data": {"count": 3}}})
}

#[actix_web::test]
async fn an_approved_run_goes_on() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (path, run) = waiting(&world, &ada, question()).await;
    assert_eq!(run["waiting_for"], json!(["approval"]));
    let listed = world.get("/api/v1/approvals?status=open").by(&ada).send().await.expect(200);
    let asked = &listed["items"][0];
    assert_eq!((asked["prompt"].as_str(), &asked["run_id"]), (Some("Really?"), &run["id"]));
    assert_eq!(run["steps"][0]["approval"]["id"], asked["id"]);

    let decide = format!("{path}/approvals/{}", asked["id"].as_str().unwrap());
    let yes = json!({"decision": "approve", "reason": "looks right"});
    world.post(&decide).by(&ada).json(&yes).send().await.expect(200);
    let done = world.until(&path, &ada, |run| run["status"] == "completed").await;
    assert_eq!(done["steps"][0]["output"]["decision"], "approve");
    let path = format!("/api/v1/audit?project_id={}", run["project_id"].as_str().unwrap());
    let told = world.get(&path).by(&ada).send().await.expect(200);
    let kinds = told["items"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap());
    assert_eq!(kinds.filter(|kind| kind.starts_with("run.")).collect::<Vec<_>>(), ["run.approval_decided"]);
    let decided = world.get("/api/v1/approvals?status=approved").by(&ada).send().await.expect(200);
    assert_eq!((decided["total"].as_u64(), decided["items"][0]["reason"].as_str()), (Some(1), Some("looks right")));
}

#[actix_web::test]
async fn a_denied_run_fails_and_the_answer_stands() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (path, run) = waiting(&world, &ada, question()).await;
    let decide = format!("{path}/approvals/{}", run["steps"][0]["approval"]["id"].as_str().unwrap());
    world.post(&decide).by(&ada).json(&json!({"decision": "deny"})).send().await.expect(200);
    let failed = world.until(&path, &ada, |run| run["status"] == "failed").await;
    assert_eq!(failed["error"]["code"], "run.approval_denied");
    let head = world.head().await;
    let answer = world.post(&decide).by(&ada).json(&json!({"decision": "approve"})).send().await;
    assert!(["run.approval_decided", "run.ended"].contains(&answer.expect(409)["code"].as_str().unwrap()));
    assert_eq!(world.head().await, head);
}

#[actix_web::test]
async fn what_is_no_answer_is_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (path, run) = waiting(&world, &ada, question()).await;
    let decide = format!("{path}/approvals/{}", run["steps"][0]["approval"]["id"].as_str().unwrap());
    let head = world.head().await;
    let maybe = json!({"decision": "maybe"});
    world.post(&decide).by(&ada).json(&maybe).send().await.refused_at(422, "request.wrong_type", "/decision");
    let long = json!({"decision": "approve", "reason": "x".repeat(1001)});
    world.post(&decide).by(&ada).json(&long).send().await.refused_at(422, "request.length", "/reason");
    let call = world.post(&decide).by(&ada).header("if-match", "\"1\"").json(&json!({"decision": "approve"}));
    call.send().await.refused(412, "stale_version");
    let unknown = format!("{path}/approvals/01938f2e-0000-7000-8000-000000000000");
    world.post(&unknown).by(&ada).json(&json!({"decision": "approve"})).send().await.refused(404, "not_found");
    assert_eq!(world.head().await, head);
}

#[actix_web::test]
async fn a_viewer_sees_a_question_and_cannot_answer_it() {
    let world = World::new();
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let (path, run) = waiting(&world, &ada, question()).await;
    let members = format!("/api/v1/projects/{}/members", run["project_id"].as_str().unwrap());
    world.acquaint(&ada, &eve).await;
    let viewer = json!({"email": "eve@example.org", "role": "viewer"});
    world.post(&members).by(&ada).json(&viewer).send().await.expect(201);
    assert_eq!(world.get("/api/v1/approvals").by(&eve).send().await.expect(200)["total"], 1);
    let decide = format!("{path}/approvals/{}", run["steps"][0]["approval"]["id"].as_str().unwrap());
    world.post(&decide).by(&eve).json(&json!({"decision": "approve"})).send().await.refused(403, "forbidden");
}

#[actix_web::test]
async fn the_key_that_started_a_run_cannot_answer_its_question_without_the_scope() {
    let world = World::new();
    let ada = world.person("ada").await;
    let keys = format!("/api/v1/projects/{}/api-keys", world.project(&ada).await);
    let (expires_at, scopes) =
        (world.clock.now() + TimeDelta::days(1), ["agents.read", "agents.write", "runs.read", "runs.start"]);
    let wanted = json!({"name": "deploy", "role": "maintainer", "expires_at": expires_at, "scopes": scopes});
    let issued = world.post(&keys).by(&ada).json(&wanted).send().await.expect(201);
    let key = issued["key"].as_str().unwrap();
    let (path, run) = waiting(&world, key, question()).await;
    let decide = format!("{path}/approvals/{}", run["steps"][0]["approval"]["id"].as_str().unwrap());
    world.post(&decide).by(key).json(&json!({"decision": "approve"})).send().await.refused(403, "forbidden");
}

#[actix_web::test]
async fn a_call_in_doubt_goes_on_with_a_verdict() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (path, run) = waiting(&world, &ada, json!({"id": "pay", "tool": "charge", "arguments": {}})).await;
    assert_eq!((&run["waiting_for"], run["steps"][0]["status"].as_str()), (&json!(["reconcile"]), Some("in_doubt")));
    let operation = run["steps"][0]["operation_id"].as_str().unwrap();
    let reconcile = format!("{path}/steps/{operation}/reconcile");
    let misplaced = json!({"verdict": "failed", "result": 1});
    world.post(&reconcile).by(&ada).json(&misplaced).send().await.refused_at(422, "request.one_of", "");
    let verdict = json!({"verdict": "succeeded", "result": {"charge": 17}});
    world.post(&reconcile).by(&ada).json(&verdict).send().await.expect(200);
    let done = world.until(&path, &ada, |run| run["status"] == "completed").await;
    assert_eq!(done["steps"][0]["output"], json!({"charge": 17}));
}

#[actix_web::test]
async fn a_call_in_doubt_takes_its_verdict_after_the_end_before_anything_is_done_again() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (path, run) = waiting(&world, &ada, json!({"id": "pay", "tool": "charge", "arguments": {}})).await;
    let operation = run["steps"][0]["operation_id"].as_str().unwrap();
    let stopped = world.post(&format!("{path}/cancel")).by(&ada).json(&json!({})).send().await.expect(200);
    assert_eq!(stopped["in_doubt"], json!([{"operation_id": operation, "tool": "charge", "step": "pay"}]));
    let retry = || world.post(&format!("{path}/retry")).by(&ada).json(&json!({})).send();
    retry().await.refused(409, "run.in_doubt");
    let fork = world.post(&format!("{path}/fork")).by(&ada).json(&json!({"step": "pay"})).send().await;
    fork.refused(409, "run.in_doubt");
    let reconcile = format!("{path}/steps/{operation}/reconcile");
    world.post(&reconcile).by(&ada).json(&json!({"verdict": "retry"})).send().await.refused(409, "run.ended");
    let verdict = json!({"verdict": "succeeded", "result": {"charge": 17}});
    let settled = world.post(&reconcile).by(&ada).json(&verdict).send().await.expect(200);
    assert_eq!((&settled["status"], &settled["in_doubt"]), (&json!("cancelled"), &json!([])));
    assert_eq!(settled["steps"][0]["output"], json!({"charge": 17}));
    retry().await.expect(202);
}

/// A run that was cancelled with a call in doubt and got its verdict after that; returns the path of its events.
async fn settled_after_the_end(world: &World, token: &str) -> String {
    let (path, run) = waiting(world, token, json!({"id": "pay", "tool": "charge", "arguments": {}})).await;
    world.post(&format!("{path}/cancel")).by(token).json(&json!({})).send().await.expect(200);
    let reconcile = format!("{path}/steps/{}/reconcile", run["steps"][0]["operation_id"].as_str().unwrap());
    world.post(&reconcile).by(token).json(&json!({"verdict": "failed"})).send().await.expect(200);
    format!("{path}/events")
}

#[actix_web::test]
async fn a_page_of_events_that_ends_with_a_verdict_after_the_end_says_that_the_run_has_ended() {
    let world = World::new();
    let ada = world.person("ada").await;
    let events = settled_after_the_end(&world, &ada).await;
    let page = world.get(&events).by(&ada).send().await.expect(200);
    let last = page["items"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["type"], &page["ended"]), (&json!("run.outcome_settled"), &json!(true)));
}

#[actix_web::test]
async fn nothing_follows_a_verdict_after_the_end() {
    let world = World::new();
    let ada = world.person("ada").await;
    let events = settled_after_the_end(&world, &ada).await;
    let page = world.get(&events).by(&ada).send().await.expect(200);
    let rest = world.get(&format!("{events}?after={}", page["next_after"])).by(&ada).send().await.expect(200);
    assert_eq!((&rest["items"], &rest["ended"]), (&json!([]), &json!(true)));
}

#[actix_web::test]
async fn a_verdict_on_what_is_not_in_doubt_is_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (path, _) = waiting(&world, &ada, question()).await;
    let unknown = format!("{path}/steps/01938f2e-0000-7000-8000-000000000000/reconcile");
    world.post(&unknown).by(&ada).json(&json!({"verdict": "retry"})).send().await.refused(404, "not_found");
    let wrong = json!({"verdict": "perhaps"});
    world.post(&unknown).by(&ada).json(&wrong).send().await.refused_at(422, "request.wrong_type", "/verdict");
}

#[actix_web::test]
async fn a_verdict_on_a_call_whose_outcome_is_known_is_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    let greet = json!({"id": "greet", "tool": "template", "arguments": {"template": "hello", "context": {}}});
    let ask = json!({"id": "ask", "needs": ["greet"], "approval": question()["approval"]});
    let body = json!({"name": "Polite", "type": "workflow", "definition": {"steps": [greet, ask]}});
    let agent = world.post("/api/v1/agents").by(&ada).json(&body).send().await.expect(201);
    let execute = format!("/api/v1/agents/{}/execute", agent["id"].as_str().unwrap());
    let run = world.post(&execute).by(&ada).json(&json!({})).send().await.expect(202);
    let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
    world.work();
    let run = world.until(&path, &ada, |run| run["status"] == "waiting").await;
    let reconcile = format!("{path}/steps/{}/reconcile", run["steps"][0]["operation_id"].as_str().unwrap());
    let verdict = world.post(&reconcile).by(&ada).json(&json!({"verdict": "retry"})).send().await;
    verdict.refused(409, "run.not_in_doubt");
}

/// Executes with `wait_s`; returns the response, which came although no time passed.
async fn awaited(world: &World, token: &str, definition: Value) -> Value {
    let body = json!({"name": "Careful", "type": "workflow", "definition": definition});
    let agent = world.post("/api/v1/agents").by(token).json(&body).send().await.expect(201);
    world.work();
    let execute = format!("/api/v1/agents/{}/execute", agent["id"].as_str().unwrap());
    let answer = world.post(&execute).by(token).json(&json!({"wait_s": 30})).send();
    tokio::time::timeout(Duration::from_secs(20), answer).await.unwrap().expect(202)
}

#[actix_web::test]
async fn whoever_waits_for_a_run_is_answered_when_it_asks_somebody() {
    let world = World::new();
    let ada = world.person("ada").await;
    let run = awaited(&world, &ada, json!({"steps": [question()]})).await;
    assert_eq!((&run["status"], &run["waiting_for"]), (&json!("waiting"), &json!(["approval"])));
}

#[actix_web::test]
async fn whoever_waits_for_a_run_is_answered_when_nobody_knows_what_became_of_a_call() {
    let world = World::new();
    let ada = world.person("ada").await;
    let request = json!({"method": "POST", "url": "https://bank.example.org/charges"});
    let tools = json!({"charge": {"kind": "http", "effect": "unsafe", "request": request}});
    let step = json!({"id": "pay", "tool": "charge", "arguments": {}});
    let run = awaited(&world, &ada, json!({"tools": tools, "steps": [step]})).await;
    assert_eq!((&run["status"], &run["waiting_for"]), (&json!("waiting"), &json!(["reconcile"])));
}

#[actix_web::test]
async fn whoever_waits_for_a_run_is_answered_when_a_run_below_it_asks_somebody() {
    let world = World::new();
    let ada = world.person("ada").await;
    let asking = json!({"name": "Asking", "type": "workflow", "definition": {"steps": [question()]}});
    let asking = world.post("/api/v1/agents").by(&ada).json(&asking).send().await.expect(201);
    let step = json!({"id": "hand_over", "agent": asking["id"], "input": {}});
    let run = awaited(&world, &ada, json!({"steps": [step]})).await;
    assert_eq!((&run["status"], &run["waiting_for"]), (&json!("waiting"), &json!(["child"])));
}
