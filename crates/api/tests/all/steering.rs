//! Decisions about runs in the audit trail, as owners of the project see it.

use serde_json::{Value, json};

use crate::{
    approvals::{question, waiting},
    audit::{id_of, told},
    run_again::ended,
    world::World,
};

/// Asserts that the trail of the run's project has exactly this entry about runs, by the caller.
async fn is_told(world: &World, token: &str, run: &Value, kind: &str) {
    let entries = told(world, token, &format!("?project_id={}", run["project_id"].as_str().unwrap())).await;
    let of_run = |entry: &&Value| entry["kind"].as_str().unwrap().starts_with("run.");
    let found: Vec<_> =
        entries.iter().filter(of_run).map(|entry| json!([entry["kind"], entry["actor"], entry["target"]])).collect();
    let (actor, target) =
        (format!("user:{}", id_of(world, token).await), format!("run:{}", run["id"].as_str().unwrap()));
    assert_eq!(found, [json!([kind, actor, target])]);
}

/// Decides the one approval of a run.
async fn decided(decision: &str) {
    let world = World::new();
    let ada = world.person("ada").await;
    let (path, run) = waiting(&world, &ada, question()).await;
    let decide = format!("{path}/approvals/{}", run["steps"][0]["approval"]["id"].as_str().unwrap());
    world.post(&decide).by(&ada).json(&json!({"decision": decision})).send().await.expect(200);
    is_told(&world, &ada, &run, "run.approval_decided").await;
}

#[actix_web::test]
async fn who_approved_is_told() {
    decided("approve").await;
}

#[actix_web::test]
async fn who_denied_is_told() {
    decided("deny").await;
}

#[actix_web::test]
async fn who_gave_a_verdict_is_told() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (path, run) = waiting(&world, &ada, json!({"id": "pay", "tool": "charge", "arguments": {}})).await;
    let operation = run["steps"][0]["operation_id"].as_str().unwrap();
    let verdict = world.post(&format!("{path}/steps/{operation}/reconcile")).by(&ada);
    verdict.json(&json!({"verdict": "failed"})).send().await.expect(200);
    is_told(&world, &ada, &run, "run.outcome_settled").await;
}

#[actix_web::test]
async fn who_cancelled_is_told() {
    let world = World::new();
    let ada = world.person("ada").await;
    let execute = format!("/api/v1/agents/{}/execute", world.agent(&ada, "Greeter").await);
    let run = world.post(&execute).by(&ada).json(&json!({})).send().await.expect(202);
    let cancel = format!("/api/v1/runs/{}/cancel", run["id"].as_str().unwrap());
    world.post(&cancel).by(&ada).send().await.expect(200);
    is_told(&world, &ada, &run, "run.cancel_requested").await;
}

#[actix_web::test]
async fn who_retried_is_told() {
    let (world, ada, run) = ended().await;
    let retry = format!("/api/v1/runs/{}/retry", run["id"].as_str().unwrap());
    let again = world.post(&retry).by(&ada).send().await.expect(202);
    is_told(&world, &ada, &again, "run.retried").await;
}

#[actix_web::test]
async fn who_forked_is_told() {
    let (world, ada, run) = ended().await;
    let fork = format!("/api/v1/runs/{}/fork", run["id"].as_str().unwrap());
    let forked = world.post(&fork).by(&ada).json(&json!({"step": "then"})).send().await.expect(202);
    is_told(&world, &ada, &forked, "run.forked").await;
}
