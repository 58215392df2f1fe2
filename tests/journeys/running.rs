//! The main use of the platform: agents are defined, run, watched and steered.

use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

use crate::{client::Client, server::Server, tracker::Tracker};

/// Allows tools to call the tracker, and nothing else.
pub(crate) fn reaching(tracker: &Tracker) -> impl FnOnce(&mut std::process::Command) {
    let allowed = format!("egress.allow_private={}", tracker.address);
    move |command| {
        command.args(["--set", "egress.allow_http=true", "--set", &allowed]);
    }
}

/// Doubles numbers, asks for an approval if the sum is large, and files a ticket.
pub(crate) fn doubling(tracker: &Tracker) -> Value {
    json!({
        "input_schema": {"type": "object", "required": ["numbers"], "properties": {"numbers": {"type": "array", "items": {"type": "number"}}}},
        "tools": {"file_ticket": tracker.tool()},
        "steps": [
            {"id": "doubled", "for_each": ".input.numbers", "tool": "jq", "arguments": {"program": ".n * 2", "input": {"n": {"$jq": ".item"}}}},
            {"id": "sum", "needs": ["doubled"], "tool": "jq", "arguments": {"program": "add", "input": {"$jq": ".steps.doubled.output"}}},
            {"id": "asked", "needs": ["sum"], "when": ".steps.sum.output > 100", "approval": {"prompt": "File {{ steps.sum.output }}?"}},
            {"id": "filed", "needs": ["asked"], "tool": "file_ticket", "arguments": {"sum": {"$jq": ".steps.sum.output"}}}
        ],
        "output": {"sum": {"$jq": ".steps.sum.output"}, "ticket": {"$jq": ".steps.filed.output.body.ticket"}}
    })
}

#[tokio::test]
async fn a_person_signs_in_defines_an_agent_runs_it_and_watches() {
    let (place, tracker) = (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await);
    let server = Server::start_with(place.path(), reaching(&tracker));
    let ada = Client::administrator(&server).await;
    let agent = ada.agent("Doubler", &doubling(&tracker)).await;

    let run = ada.execute(&agent, &json!({"numbers": [1, 2, 3]})).await;
    let seen = ada.watch(&run, None, "run.completed").await;
    let ended = ada.run_ended(&run).await;

    assert_eq!(ended["status"], "completed", "{ended:#}");
    assert_eq!(ended["output"], json!({"sum": 12, "ticket": "T-1"}));
    assert_eq!(seen.first().unwrap().1["type"], "run.queued");
    assert_eq!(seen.last().unwrap().1["type"], "run.completed");
    let positions: Vec<u64> = seen.iter().map(|(id, _)| id.parse().unwrap()).collect();
    assert!(positions.is_sorted_by(|one, next| one < next), "{positions:?}");
    let listed = ada.get("/api/v1/runs").await.expect(StatusCode::OK);
    assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(1), &json!(run)));
    assert_eq!((tracker.tickets().len(), tracker.bare()), (1, 0));
}

#[tokio::test]
async fn a_watcher_who_comes_back_misses_nothing_and_sees_nothing_twice() {
    let (place, tracker) = (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await);
    let server = Server::start_with(place.path(), reaching(&tracker));
    let ada = Client::administrator(&server).await;
    let agent = ada.agent("Doubler", &doubling(&tracker)).await;
    let run = ada.execute(&agent, &json!({"numbers": [1]})).await;
    let whole = ada.watch(&run, None, "run.completed").await;

    let middle = whole.len() / 2;
    let rest = ada.watch(&run, Some(&whole[middle].0), "run.completed").await;

    assert_eq!(rest, whole[middle + 1..]);
}

#[tokio::test]
async fn a_run_asks_and_goes_on_when_it_is_answered() {
    let (place, tracker) = (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await);
    let server = Server::start_with(place.path(), reaching(&tracker));
    let ada = Client::administrator(&server).await;
    let agent = ada.agent("Doubler", &doubling(&tracker)).await;
    for (decision, status, filed) in [("deny", "failed", 0), ("approve", "completed", 1)] {
        let run = ada.execute(&agent, &json!({"numbers": [60]})).await;
        let approval = asked(&ada, &run).await;
        ada.post(&format!("/api/v1/runs/{run}/approvals/{approval}"), &json!({"decision": decision}))
            .await
            .expect(StatusCode::OK);
        assert_eq!(ada.run_ended(&run).await["status"], status, "{decision}");
        assert_eq!(tracker.tickets().len(), filed, "{decision}");
    }
}

/// Waits until a run asks for an approval; returns its id.
pub(crate) async fn asked(client: &Client, run: &str) -> String {
    client.run_in(run, &["waiting"]).await;
    let open = client.get("/api/v1/approvals?status=open").await.expect(StatusCode::OK);
    let question = open["items"].as_array().unwrap().iter().find(|question| question["run_id"] == run);
    question.unwrap()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_question_survives_a_power_failure() {
    let (place, tracker) = (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await);
    let server = Server::start_with(place.path(), reaching(&tracker));
    let ada = Client::administrator(&server).await;
    let agent = ada.agent("Doubler", &doubling(&tracker)).await;
    let run = ada.execute(&agent, &json!({"numbers": [60]})).await;
    let approval = asked(&ada, &run).await;
    server.kill();

    let server = Server::start_with(place.path(), reaching(&tracker));
    let ada = ada.at(&server.url);
    ada.post(&format!("/api/v1/runs/{run}/approvals/{approval}"), &json!({"decision": "approve"}))
        .await
        .expect(StatusCode::OK);

    assert_eq!(ada.run_ended(&run).await["status"], "completed");
}

#[tokio::test]
async fn a_cancelled_run_never_files_its_ticket() {
    let (place, tracker) = (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await);
    let server = Server::start_with(place.path(), reaching(&tracker));
    let ada = Client::administrator(&server).await;
    let agent = ada.agent("Doubler", &doubling(&tracker)).await;
    let run = ada.execute(&agent, &json!({"numbers": [60]})).await;
    asked(&ada, &run).await;

    let answer = ada.post(&format!("/api/v1/runs/{run}/cancel"), &json!({})).await;

    assert!(answer.status.is_success(), "{:#}", answer.body);
    assert_eq!((&ada.run_ended(&run).await["status"], tracker.requests()), (&json!("cancelled"), 0));
}

#[tokio::test]
async fn an_agent_runs_another_agent() {
    let (place, tracker) = (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await);
    let server = Server::start_with(place.path(), reaching(&tracker));
    let ada = Client::administrator(&server).await;
    let inner = ada.agent("Doubler", &doubling(&tracker)).await;
    let outer = ada
        .agent(
            "Foreman",
            &json!({
                "steps": [{"id": "inner", "agent": inner, "input": {"numbers": {"$jq": ".input"}}}],
                "output": {"$jq": ".steps.inner.output.sum"}
            }),
        )
        .await;
    let run = ada.execute(&outer, &json!([4, 5])).await;
    let ended = ada.run_ended(&run).await;
    assert_eq!((&ended["status"], &ended["output"]), (&json!("completed"), &json!(18)), "{ended:#}");
}

#[tokio::test]
async fn a_tool_may_not_reach_what_is_not_allowed() {
    let (place, tracker) = (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await);
    let server = Server::start(place.path());
    let ada = Client::administrator(&server).await;
    let agent = json!({"name": "Doubler", "type": "workflow", "capabilities": [], "definition": doubling(&tracker)});
    let made = ada.post("/api/v1/agents", &agent).await;
    if made.status == StatusCode::CREATED {
        let run = ada.execute(made.body["id"].as_str().unwrap(), &json!({"numbers": [1]})).await;
        assert_eq!(ada.run_ended(&run).await["status"], "failed");
    }
    assert_eq!(tracker.requests(), 0);
}

#[tokio::test]
async fn what_belongs_to_others_is_not_there() {
    let (place, tracker) = (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await);
    let server = Server::start_with(place.path(), reaching(&tracker));
    let ada = Client::administrator(&server).await;
    for email in ["bob@example.com", "eve@example.com"] {
        let body = json!({"email": email, "password": crate::client::PASSWORD, "name": "Somebody"});
        ada.post("/api/v1/auth/register", &body).await.expect(StatusCode::CREATED);
    }
    let (bob, eve) = (ada.signed_in("bob@example.com").await, ada.signed_in("eve@example.com").await);
    let agent = bob.agent("Doubler", &doubling(&tracker)).await;
    let run = bob.execute(&agent, &json!({"numbers": [1]})).await;
    for path in [format!("/api/v1/agents/{agent}"), format!("/api/v1/runs/{run}"), format!("/api/v1/runs/{run}/events")]
    {
        eve.get(&path).await.expect(StatusCode::NOT_FOUND);
    }
    assert_eq!(eve.get("/api/v1/runs").await.expect(StatusCode::OK)["total"], 0);
}
