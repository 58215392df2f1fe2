use actix_web::http::Method;
use serde_json::json;

use crate::world::{World, agent};

#[actix_web::test]
async fn a_run_that_ends_while_the_client_waits_is_answered_with_its_end() {
    let world = World::new();
    let ada = world.person("ada").await;
    let id = world.agent(&ada, "Greeter").await;
    world.work();
    let call = world.post(&format!("/api/v1/agents/{id}/execute")).by(&ada);
    let answer = call.json(&json!({"input": {"name": "Ada"}, "wait_s": 30})).send().await;
    let run = answer.expect(200);
    assert_eq!((run["status"].as_str(), run["agent_id"].as_str()), (Some("completed"), Some(id.as_str())));
    assert_eq!((run["agent_version"].as_u64(), run["input"]["name"].as_str()), (Some(1), Some("Ada")));
    assert_eq!(
        (run["steps"][0]["id"].as_str(), run["steps"][0]["status"].as_str()),
        (Some("greet"), Some("succeeded"))
    );
    assert_eq!(run["usage"]["calls"], 1);
    assert!(run["started_at"].is_string() && run["ended_at"].is_string() && run["error"].is_null(), "{run}");
    assert_eq!(world.get(answer.header("location")).by(&ada).send().await.expect(200), run);
}

#[actix_web::test]
async fn a_run_nobody_waits_for_is_accepted() {
    let world = World::new();
    let ada = world.person("ada").await;
    let id = world.agent(&ada, "Greeter").await;
    let call = world.post(&format!("/api/v1/agents/{id}/execute")).by(&ada);
    let answer = call.json(&json!({"priority": "high"})).send().await;
    let run = answer.expect(202);
    assert_eq!((run["status"].as_str(), run["priority"].as_str()), (Some("queued"), Some("high")));
    assert_eq!(answer.header("location"), format!("/api/v1/runs/{}", run["id"].as_str().unwrap()));
    assert_eq!(answer.header("etag"), "\"1\"");
}

#[actix_web::test]
async fn a_repeated_request_with_the_same_key_is_one_run() {
    let world = World::new();
    let ada = world.person("ada").await;
    let path = format!("/api/v1/agents/{}/execute", world.agent(&ada, "Greeter").await);
    let execute = |input: i32| {
        let call = world.post(&path).by(&ada).header("idempotency-key", "order-4711");
        call.json(&json!({"input": input})).send()
    };
    let first = execute(1).await.expect(202);
    let head = world.head().await;
    assert_eq!(execute(1).await.expect(202)["id"], first["id"]);
    execute(2).await.refused(422, "idempotency.key_reused");
    assert_eq!(world.head().await, head);
}

#[actix_web::test]
async fn an_input_that_breaks_the_agents_schema_is_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    let mut body = agent("Greeter");
    body["definition"]["input_schema"] = json!({"required": ["name"]});
    let made = world.post("/api/v1/agents").by(&ada).json(&body).send().await.expect(201);
    let path = format!("/api/v1/agents/{}/execute", made["id"].as_str().unwrap());
    let head = world.head().await;
    let answer = world.post(&path).by(&ada).json(&json!({"input": {}})).send().await;
    answer.refused_at(422, "run.input_schema", "/input");
    assert_eq!(world.head().await, head);
}

#[actix_web::test]
async fn what_makes_no_sense_of_a_run_is_refused_by_pointer() {
    let world = World::new();
    let ada = world.person("ada").await;
    let path = format!("/api/v1/agents/{}/execute", world.agent(&ada, "Greeter").await);
    let head = world.head().await;
    for (body, code, pointer) in [
        (json!({"wait_s": 61}), "request.range", "/wait_s"),
        (json!({"wait_s": -1}), "request.wrong_type", "/wait_s"),
        (json!({"priority": "asap"}), "request.wrong_type", "/priority"),
        (json!({"deadline": "tomorrow"}), "request.wrong_type", "/deadline"),
        (json!({"deadline": "2020-01-01T00:00:00Z"}), "run.deadline_passed", "/deadline"),
        (json!({"inputs": {}}), "request.unknown_member", "/inputs"),
    ] {
        world.post(&path).by(&ada).json(&body).send().await.refused_at(422, code, pointer);
    }
    assert_eq!(world.head().await, head);
}

#[actix_web::test]
async fn an_agent_that_is_not_active_does_not_run() {
    let world = World::new();
    let ada = world.person("ada").await;
    let path = format!("/api/v1/agents/{}", world.agent(&ada, "Greeter").await);
    world.post(&format!("{path}/pause")).by(&ada).send().await.expect(200);
    let answer = world.post(&format!("{path}/execute")).by(&ada).json(&json!({})).send().await;
    answer.refused(409, "run.agent_inactive");
}

#[actix_web::test]
async fn other_peoples_runs_are_not_there() {
    let world = World::new();
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let agent = world.agent(&ada, "Greeter").await;
    let execute = format!("/api/v1/agents/{agent}/execute");
    let run = world.post(&execute).by(&ada).json(&json!({})).send().await.expect(202);
    let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
    let head = world.head().await;
    world.post(&execute).by(&eve).json(&json!({})).send().await.refused(404, "not_found");
    world.get(&path).by(&eve).send().await.refused(404, "not_found");
    world.get(&format!("{path}/events")).by(&eve).send().await.refused(404, "not_found");
    let stream = world.get(&format!("{path}/events")).by(&eve).header("accept", "text/event-stream");
    stream.send().await.refused(404, "not_found");
    world.post(&format!("{path}/cancel")).by(&eve).send().await.refused(404, "not_found");
    let question = format!("{path}/approvals/01938f2e-0000-7000-8000-000000000000");
    world.post(&question).by(&eve).json(&json!({"decision": "approve"})).send().await.refused(404, "not_found");
    let operation = format!("{path}/steps/01938f2e-0000-7000-8000-000000000000/reconcile");
    world.post(&operation).by(&eve).json(&json!({"verdict": "retry"})).send().await.refused(404, "not_found");
    assert_eq!(world.get("/api/v1/runs").by(&eve).send().await.expect(200)["total"], 0);
    let query = format!("/api/v1/runs?project_id={}", run["project_id"].as_str().unwrap());
    world.get(&query).by(&eve).send().await.refused(404, "not_found");
    assert_eq!(world.head().await, head);
}

#[actix_web::test]
async fn runs_are_listed_by_agent_and_status() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (one, other) = (world.agent(&ada, "One").await, world.agent(&ada, "Other").await);
    for agent in [&one, &one, &other] {
        let path = format!("/api/v1/agents/{agent}/execute");
        world.post(&path).by(&ada).json(&json!({})).send().await.expect(202);
    }
    let total = async |query: &str| {
        world.get(&format!("/api/v1/runs?{query}")).by(&ada).send().await.expect(200)["total"].as_u64()
    };
    assert_eq!(total("").await, Some(3));
    assert_eq!(total(&format!("agent_id={one}")).await, Some(2));
    assert_eq!(total(&format!("agent_id={other}&status=queued")).await, Some(1));
    assert_eq!(total("status=completed").await, Some(0));
    let answer = world.get("/api/v1/runs?status=sleeping&agent_id=x").by(&ada).send().await;
    assert_eq!(answer.refused(422, "request.invalid")["errors"].as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn runs_are_listed_by_what_they_wait_for_and_where_they_come_from() {
    let world = World::new();
    let ada = world.person("ada").await;
    let agent = world.agent(&ada, "One").await;
    let execute = world.post(&format!("/api/v1/agents/{agent}/execute")).by(&ada).json(&json!({"wait_s": 30}));
    world.work();
    let run = execute.send().await.expect(200)["id"].as_str().unwrap().to_owned();
    world.post(&format!("/api/v1/runs/{run}/retry")).by(&ada).send().await.expect(202);
    let total = async |query: &str| {
        world.get(&format!("/api/v1/runs?{query}")).by(&ada).send().await.expect(200)["total"].as_u64()
    };
    let queries = [
        "root=true",
        &format!("parent_run_id={run}"),
        &format!("retry_of={run}"),
        &format!("forked_from={run}"),
        "status=queued,running,completed",
        "waiting_for=approval,reconcile",
    ];
    let mut totals = Vec::new();
    for query in queries {
        totals.push(total(query).await);
    }
    assert_eq!(totals, [Some(2), Some(0), Some(1), Some(0), Some(2), Some(0)]);
}

#[actix_web::test]
async fn filters_of_runs_that_are_none_are_refused_together() {
    let world = World::new();
    let ada = world.person("ada").await;
    let query = "status=queued,asleep&waiting_for=godot&root=perhaps&retry_of=x";
    let answer = world.get(&format!("/api/v1/runs?{query}")).by(&ada).send().await;
    assert_eq!(answer.refused(422, "request.invalid")["errors"].as_array().unwrap().len(), 4);
}

#[actix_web::test]
async fn a_root_is_nobodys_child() {
    let world = World::new();
    let ada = world.person("ada").await;
    let run = "01938f2e-0000-7000-8000-000000000000";
    let answer = world.get(&format!("/api/v1/runs?root=true&parent_run_id={run}")).by(&ada).send().await;
    answer.refused(422, "request.parameter");
}

#[actix_web::test]
async fn a_list_tells_what_a_run_cost_and_repeats() {
    let world = World::new();
    let ada = world.person("ada").await;
    let agent = world.agent(&ada, "One").await;
    world.work();
    let execute = world.post(&format!("/api/v1/agents/{agent}/execute")).by(&ada).json(&json!({"wait_s": 30}));
    let run = execute.send().await.expect(200)["id"].clone();
    let path = format!("/api/v1/runs/{}/retry", run.as_str().unwrap());
    world.post(&path).by(&ada).send().await.expect(202);
    let list = world.get("/api/v1/runs").by(&ada).send().await.expect(200);
    let newest = &list["items"][0];
    let told = (&newest["retry_of"], newest["tokens"]["input"].is_u64(), newest.get("cost_micros").is_some());
    assert_eq!(told, (&run, true, true));
}

#[actix_web::test]
async fn a_run_is_shown_without_its_steps_where_nobody_wants_them() {
    let world = World::new();
    let ada = world.person("ada").await;
    let agent = world.agent(&ada, "Greeter").await;
    let run = world.post(&format!("/api/v1/agents/{agent}/execute")).by(&ada).json(&json!({})).send().await.expect(202);
    let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
    let mut steps = Vec::new();
    for query in ["", "?steps=all", "?steps=none", "?version=1&steps=none"] {
        let shown = world.get(&format!("{path}{query}")).by(&ada).send().await.expect(200);
        steps.push(shown["steps"].as_array().unwrap().is_empty());
    }
    world.get(&format!("{path}?steps=some")).by(&ada).send().await.refused(422, "request.parameter");
    assert_eq!(steps, [false, false, true, true]);
}

#[actix_web::test]
async fn a_run_is_cancelled_once_and_an_ended_one_no_more() {
    let world = World::new();
    let ada = world.person("ada").await;
    let agent = world.agent(&ada, "Greeter").await;
    let run = world.post(&format!("/api/v1/agents/{agent}/execute")).by(&ada).json(&json!({})).send().await.expect(202);
    let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
    let cancel = format!("{path}/cancel");
    world.post(&cancel).by(&ada).header("if-match", "\"7\"").send().await.refused(412, "stale_version");
    world.post(&cancel).by(&ada).json(&json!({"because": "x"})).send().await.refused(422, "request.unknown_member");
    let cancelled = world.post(&cancel).by(&ada).json(&json!({"reason": "by mistake"})).send().await.expect(200);
    assert!(["cancelling", "cancelled"].contains(&cancelled["status"].as_str().unwrap()), "{cancelled}");
    world.work();
    world.until(&path, &ada, |run| run["status"] == "cancelled").await;

    let execute = world.post(&format!("/api/v1/agents/{agent}/execute")).by(&ada).json(&json!({"wait_s": 30}));
    let done = execute.send().await.expect(200);
    let head = world.head().await;
    let cancel = format!("/api/v1/runs/{}/cancel", done["id"].as_str().unwrap());
    world.post(&cancel).by(&ada).send().await.refused(409, "run.ended");
    assert_eq!(world.head().await, head);
}

#[actix_web::test]
async fn a_run_one_has_seen_already_is_not_sent_again() {
    let world = World::new();
    let ada = world.person("ada").await;
    let agent = world.agent(&ada, "Greeter").await;
    let run = world.post(&format!("/api/v1/agents/{agent}/execute")).by(&ada).json(&json!({})).send().await.expect(202);
    let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
    let answer = world.call(Method::GET, &path).by(&ada).header("if-none-match", "\"1\"").send().await;
    assert_eq!(answer.status, 304);
}

#[actix_web::test]
async fn a_run_is_shown_as_it_was_at_a_version_or_an_instant() {
    let world = World::new();
    let ada = world.person("ada").await;
    let execute = format!("/api/v1/agents/{}/execute", world.agent(&ada, "Greeter").await);
    let queued = world.post(&execute).by(&ada).json(&json!({})).send().await.expect(202);
    let path = format!("/api/v1/runs/{}", queued["id"].as_str().unwrap());
    world.work();
    world.until(&path, &ada, |run| run["status"] == "completed").await;
    let first = world.get(&format!("{path}?version=1")).by(&ada).send().await.expect(200);
    let now = world.get(&format!("{path}?as_of=2100-01-01T00:00:00Z")).by(&ada).send().await.expect(200);
    assert_eq!((first, &now["status"]), (queued, &json!("completed")));
}

#[actix_web::test]
async fn a_moment_at_which_there_was_no_such_run_is_not_found() {
    let world = World::new();
    let ada = world.person("ada").await;
    let execute = format!("/api/v1/agents/{}/execute", world.agent(&ada, "Greeter").await);
    let run = world.post(&execute).by(&ada).json(&json!({})).send().await.expect(202);
    let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
    for moment in ["version=2", "version=0", "as_of=2000-01-01T00:00:00Z"] {
        world.get(&format!("{path}?{moment}")).by(&ada).send().await.refused(404, "not_found");
    }
}

#[actix_web::test]
async fn a_version_and_an_instant_exclude_each_other() {
    let world = World::new();
    let ada = world.person("ada").await;
    let execute = format!("/api/v1/agents/{}/execute", world.agent(&ada, "Greeter").await);
    let run = world.post(&execute).by(&ada).json(&json!({})).send().await.expect(202);
    let path = format!("/api/v1/runs/{}?version=1&as_of=2100-01-01T00:00:00Z", run["id"].as_str().unwrap());
    world.get(&path).by(&ada).send().await.refused(422, "request.parameter");
}
