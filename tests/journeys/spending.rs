//! A budget that runs out in the middle of a run.

use std::{sync::Arc, time::Duration};

use devskyy_domain::{
    conversation::{Finish, TokenCount},
    models::ProviderKind,
};
use devskyy_testkit::{
    contracts::models::{Act, CallScript, Reply, Stage as _},
    fakes::ModelServer,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    assisting::{clerk, engaged, provider, served},
    client::Client,
    server::Server,
    tracker::Tracker,
};

/// A clerk whose first answer uses up its agent's budget, and its run, which has ended.
struct Spent {
    ada: Client,
    agent: String,
    run: Value,
    tracker: Tracker,
    models: Arc<ModelServer>,
    _server: Server,
    _place: TempDir,
}

/// The usage of the first answer: more than the budget has left after it.
const FIRST: TokenCount = TokenCount { input: 9_000, output: 500, cache_read: 0, cache_write: 0, reasoning: 0 };

fn wants_a_ticket() -> Act {
    let call = CallScript { id: "call_1", name: "file_ticket", arguments: vec!["{\"title\":\"lamp\"}"] };
    Act::Answer(Reply {
        pieces: vec![],
        calls: vec![call],
        finish: Finish::ToolCalls,
        usage: FIRST,
        cut: 0,
        mind: None,
    })
}

async fn spent() -> Spent {
    let (place, tracker, models) =
        (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await, provider(ProviderKind::OpenAi).await);
    let server = served(place.path(), &tracker, &models, "openai");
    let ada = Client::administrator(&server).await;
    let agent = engaged(&ada, &clerk(&tracker, "house/echo-1")).await;
    let budget = json!({"max_tokens": 10_000, "period": "month"});
    ada.put(&format!("/api/v1/agents/{agent}/budget"), &budget).await.expect(StatusCode::OK);
    models.prepare(wants_a_ticket());
    let run = ada.execute(&agent, &json!("The lamp is broken.")).await;
    let run = ada.run_ended(&run).await;
    Spent { ada, agent, run, tracker, models, _server: server, _place: place }
}

#[tokio::test]
async fn a_run_whose_budget_runs_out_between_two_questions_fails_and_says_so() {
    let spent = spent().await;
    let message = spent.run["error"]["message"].as_str().unwrap_or_default().to_owned();
    let asked = spent.models.received().iter().filter(|asked| asked.request.starts_with("POST ")).count();
    assert_eq!(
        (&spent.run["status"], &spent.run["error"]["code"], message.contains("10000"), asked),
        (&json!("failed"), &json!("budget.exhausted"), true, 1),
        "{:#}",
        spent.run
    );
}

#[tokio::test]
async fn what_was_done_before_the_budget_ran_out_stays_done() {
    let spent = spent().await;
    assert_eq!((spent.tracker.tickets().len(), &spent.run["usage"]["tokens"]["input"]), (1, &json!(9_000)));
}

#[tokio::test]
async fn a_budget_that_ran_out_shows_what_was_used_and_reserves_nothing() {
    let spent = spent().await;
    let path = format!("/api/v1/agents/{}/budget", spent.agent);
    let budget = spent.ada.get(&path).await.expect(StatusCode::OK);
    let used = (&budget["used_tokens"]["input"], &budget["used_tokens"]["output"], &budget["reserved"]["tokens"]);
    assert_eq!(used, (&json!(9_000), &json!(500), &json!(0)), "{budget:#}");
}

#[tokio::test]
async fn agents_without_a_budget_go_on_when_that_of_another_ran_out() {
    let spent = spent().await;
    let mut other = clerk(&spent.tracker, "house/echo-1");
    other["instructions"] = json!("Answer.");
    let body = json!({"name": "Other", "type": "assistant", "capabilities": ["answers"], "definition": other});
    let other = spent.ada.post("/api/v1/agents", &body).await.expect(StatusCode::CREATED);
    spent.models.prepare(Act::Answer(Reply::says(&["Nothing to do."])));
    let run = spent.ada.execute(other["id"].as_str().unwrap(), &json!("All is well.")).await;
    assert_eq!(spent.ada.run_ended(&run).await["output"], "Nothing to do.");
}

#[tokio::test]
async fn a_run_passes_once_the_budget_is_raised() {
    let spent = spent().await;
    let refused = spent.ada.execute(&spent.agent, &json!("Again.")).await;
    let refused = spent.ada.run_ended(&refused).await;
    let budget = json!({"max_tokens": 1_000_000, "period": "month"});
    spent.ada.put(&format!("/api/v1/agents/{}/budget", spent.agent), &budget).await.expect(StatusCode::OK);
    spent.models.prepare(Act::Answer(Reply::says(&["Nothing to do."])));
    let run = spent.ada.execute(&spent.agent, &json!("All is well.")).await;
    let outcomes = [&refused["error"]["code"], &spent.ada.run_ended(&run).await["output"]].map(Clone::clone);
    assert_eq!(outcomes, [json!("budget.exhausted"), json!("Nothing to do.")]);
}
