//! Runs that begin from an earlier one, over HTTP.

use serde_json::{Value, json};

use crate::world::World;

/// A world with a user and a run of two steps that has ended.
pub(crate) async fn ended() -> (World, String, Value) {
    let world = World::new();
    let ada = world.person("ada").await;
    let steps =
        json!([{"id": "first", "tool": "jq", "arguments": 1}, {"id": "then", "needs": ["first"], "tool": "jq"}]);
    let body = json!({"name": "Chain", "type": "workflow", "definition": {"steps": steps}});
    let agent = world.post("/api/v1/agents").by(&ada).json(&body).send().await.expect(201);
    let agent = format!("/api/v1/agents/{}", agent["id"].as_str().unwrap());
    world.work();
    let call = world.post(&format!("{agent}/execute")).by(&ada).json(&json!({"input": 7, "wait_s": 30}));
    let run = call.send().await.expect(200);
    (world, ada, run)
}

fn path(run: &Value, what: &str) -> String {
    format!("/api/v1/runs/{}/{what}", run["id"].as_str().unwrap())
}

#[actix_web::test]
async fn a_retry_without_a_body_is_a_new_run_under_its_location() {
    let (world, ada, run) = ended().await;
    let answer = world.post(&path(&run, "retry")).by(&ada).send().await;
    let again = answer.expect(202);
    assert_eq!(
        (&again["retry_of"], answer.header("location")),
        (&run["id"], format!("/api/v1/runs/{}", again["id"].as_str().unwrap()).as_str())
    );
}

#[actix_web::test]
async fn a_retry_under_a_key_is_one_run_however_often_it_is_sent() {
    let (world, ada, run) = ended().await;
    let retry = async || {
        let answer = world.post(&path(&run, "retry")).by(&ada).header("idempotency-key", "again").send().await;
        answer.header("location").to_owned()
    };
    assert_eq!(retry().await, retry().await);
}

#[actix_web::test]
async fn a_run_that_has_not_ended_is_not_repeated() {
    let world = World::new();
    let ada = world.person("ada").await;
    let execute = format!("/api/v1/agents/{}/execute", world.agent(&ada, "Greeter").await);
    let run = world.post(&execute).by(&ada).json(&json!({})).send().await.expect(202);
    world.post(&path(&run, "retry")).by(&ada).send().await.refused(409, "run.not_ended");
}

#[actix_web::test]
async fn a_fork_shows_what_it_took_over_and_where_it_comes_from() {
    let (world, ada, run) = ended().await;
    let call = world.post(&path(&run, "fork")).by(&ada).json(&json!({"step": "then", "input": null, "wait_s": 30}));
    let fork = call.send().await.expect(200);
    assert_eq!(fork["forked_from"], json!({"run_id": run["id"], "step": "then"}));
    let taken: Vec<_> = fork["steps"].as_array().unwrap().iter().map(|step| &step["taken_over"]).collect();
    assert_eq!((taken, &fork["input"]), (vec![&json!(true), &json!(false)], &Value::Null));
}

#[actix_web::test]
async fn the_events_of_a_fork_name_its_origin() {
    let (world, ada, run) = ended().await;
    let fork = world.post(&path(&run, "fork")).by(&ada).json(&json!({"step": "then"})).send().await.expect(202);
    let events = world.get(&path(&fork, "events")).by(&ada).send().await.expect(200);
    let forked = events["items"].as_array().unwrap().iter().find(|event| event["type"] == "run.forked").unwrap();
    assert_eq!(forked["data"], json!({"from_run_id": run["id"], "from_step": "then"}));
}

#[actix_web::test]
async fn what_cannot_be_forked_is_refused_by_pointer() {
    let (world, ada, run) = ended().await;
    for (body, code, pointer) in [
        (json!({"step": "never"}), "run.step_unknown", "/step"),
        (json!({"step": "then", "agent_version": 9}), "run.version_unknown", "/agent_version"),
        (json!({"step": "then", "agent_version": 0}), "request.range", "/agent_version"),
        (json!({"step": ""}), "request.length", "/step"),
        (json!({"step": "then", "deadline": "2020-01-01T00:00:00Z"}), "run.deadline_passed", "/deadline"),
    ] {
        let answer = world.post(&path(&run, "fork")).by(&ada).json(&body).send().await;
        answer.refused_at(422, code, pointer);
    }
}

#[actix_web::test]
async fn a_fork_takes_over_nothing_that_another_version_does_differently() {
    let (world, ada, run) = ended().await;
    let steps =
        json!([{"id": "first", "tool": "jq", "arguments": 2}, {"id": "then", "needs": ["first"], "tool": "jq"}]);
    let versions = format!("/api/v1/agents/{}/versions", run["agent_id"].as_str().unwrap());
    let body = json!({"definition": {"steps": steps}});
    world.post(&versions).by(&ada).json(&body).send().await.expect(201);
    let fork = json!({"step": "then", "agent_version": 2});
    let answer = world.post(&path(&run, "fork")).by(&ada).json(&fork).send().await;
    answer.refused_at(422, "run.steps_differ", "/agent_version");
}

#[actix_web::test]
async fn a_run_is_not_forked_where_it_never_came_to() {
    let world = World::new();
    let ada = world.person("ada").await;
    let steps =
        json!([{"id": "ask", "approval": {"prompt": "Really?"}}, {"id": "then", "needs": ["ask"], "tool": "jq"}]);
    let body = json!({"name": "Careful", "type": "workflow", "definition": {"steps": steps}});
    let agent = world.post("/api/v1/agents").by(&ada).json(&body).send().await.expect(201);
    let execute = format!("/api/v1/agents/{}/execute", agent["id"].as_str().unwrap());
    let run = world.post(&execute).by(&ada).json(&json!({})).send().await.expect(202);
    world.work();
    let one = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
    let run = world.until(&one, &ada, |run| run["status"] == "waiting").await;
    let decide = path(&run, &format!("approvals/{}", run["steps"][0]["approval"]["id"].as_str().unwrap()));
    world.post(&decide).by(&ada).json(&json!({"decision": "deny"})).send().await.expect(200);
    let run = world.until(&one, &ada, |run| run["status"] == "failed").await;
    let answer = world.post(&path(&run, "fork")).by(&ada).json(&json!({"step": "then"})).send().await;
    answer.refused_at(422, "run.step_not_reached", "/step");
}
