//! Assistants: a model is asked, the calls it wants are made, and it answers.

use std::{path::Path, sync::Arc, time::Duration};

use devskyy_domain::{
    conversation::{Finish, Usage},
    models::ProviderKind,
};
use devskyy_testkit::{
    contracts::models::{Act, CallScript, Reply, Stage as _},
    fakes::ModelServer,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{client::Client, running::reaching, server::Server, tracker::Tracker};

/// A server whose platform provider `house` is a model that does as it is told.
fn served(directory: &Path, tracker: &Tracker, models: &ModelServer, kind: &str) -> Server {
    Server::start_with(directory, |command| {
        reaching(tracker)(command);
        command.args(["--set", &format!("models.house.kind={kind}")]);
        command.args(["--set", &format!("models.house.base_url={}", models.base_url())]);
        command.env("DEVSKYY_MODELS__HOUSE__API_KEY", "sk-journey-4711");
    })
}

/// Looks after tickets with one tool.
fn clerk(tracker: &Tracker, model: &str) -> Value {
    let mut file_ticket = tracker.tool();
    file_ticket["description"] = json!("Files a ticket.");
    file_ticket["input_schema"] = json!({
        "type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}
    });
    json!({"model": model, "instructions": "File what you are told.", "tools": {"file_ticket": file_ticket}})
}

fn wants_a_ticket() -> Act {
    let call = CallScript { id: "call_1", name: "file_ticket", arguments: vec!["{\"title\":", "\"lamp\"}"] };
    let usage = Usage { input: 20, output: 7, ..Usage::default() };
    Act::Answer(Reply { pieces: vec![], calls: vec![call], finish: Finish::ToolCalls, usage, cut: 0 })
}

async fn assistant(ada: &Client, definition: &Value) -> crate::client::Answer {
    let body = json!({"name": "Clerk", "type": "assistant", "capabilities": ["tickets"], "definition": definition});
    ada.post("/api/v1/agents", &body).await
}

async fn engaged(ada: &Client, definition: &Value) -> String {
    let agent = assistant(ada, definition).await.expect(StatusCode::CREATED);
    agent["id"].as_str().unwrap().to_owned()
}

async fn provider(kind: ProviderKind) -> Arc<ModelServer> {
    ModelServer::start(kind).await.unwrap()
}

async fn a_ticket_is_filed_by(kind: ProviderKind) -> (Value, usize, usize) {
    let (place, tracker, models) =
        (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await, provider(kind).await);
    let server = served(place.path(), &tracker, &models, kind.as_str());
    let ada = Client::administrator(&server).await;
    let agent = engaged(&ada, &clerk(&tracker, "house/echo-1")).await;
    models.prepare(wants_a_ticket());
    models.prepare(Act::Answer(Reply::says(&["It is ", "filed."])));

    let run = ada.execute(&agent, &json!("The lamp is broken.")).await;
    let ended = ada.run_ended(&run).await;

    assert_eq!(ended["status"], "completed", "{ended:#}");
    let outcome = json!({"output": ended["output"], "input": ended["usage"]["tokens"]["input"], "written": ended["usage"]["tokens"]["output"]});
    (outcome, tracker.tickets().len(), tracker.bare())
}

#[tokio::test]
async fn an_assistant_files_a_ticket_over_chat_completions() {
    let outcome = json!({"output": "It is filed.", "input": 29, "written": 10});
    assert_eq!(a_ticket_is_filed_by(ProviderKind::OpenAi).await, (outcome, 1, 0));
}

#[tokio::test]
async fn an_assistant_files_a_ticket_over_messages() {
    let outcome = json!({"output": "It is filed.", "input": 29, "written": 10});
    assert_eq!(a_ticket_is_filed_by(ProviderKind::Anthropic).await, (outcome, 1, 0));
}

#[tokio::test]
async fn an_assistant_without_a_provider_is_refused_with_what_to_configure() {
    let (place, tracker) = (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await);
    let server = Server::start_with(place.path(), reaching(&tracker));
    let ada = Client::administrator(&server).await;
    let problem = assistant(&ada, &clerk(&tracker, "house/echo-1")).await.expect(StatusCode::CONFLICT);
    assert!(
        problem["code"] == "agent.model_unavailable" && problem["detail"].as_str().unwrap().contains("house"),
        "{problem:#}"
    );
}

#[tokio::test]
async fn a_key_of_a_project_is_used_and_never_seen_again() {
    let (place, tracker, models) =
        (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await, provider(ProviderKind::OpenAi).await);
    let server = Server::start_with(place.path(), |command| {
        reaching(&tracker)(command);
        let address = models.base_url();
        let address = address.trim_start_matches("http://").trim_end_matches("/v1");
        command.args(["--set", &format!("egress.allow_private={},{address}", tracker.address)]);
    });
    let ada = Client::administrator(&server).await;
    let me = ada.get("/api/v1/auth/me").await.expect(StatusCode::OK);
    let project = me["personal_project_id"].as_str().unwrap();
    let key = "sk-canary-0123456789";
    let body = json!({"name": "own", "kind": "openai", "base_url": models.base_url(), "key": key});
    let made = ada.post(&format!("/api/v1/projects/{project}/providers"), &body).await.expect(StatusCode::CREATED);
    let agent = engaged(&ada, &clerk(&tracker, "own/echo-1")).await;
    models.prepare(Act::Answer(Reply::says(&["Nothing to do."])));
    let run = ada.execute(&agent, &json!("All is well.")).await;
    let ended = ada.run_ended(&run).await;
    assert_eq!(ended["output"], "Nothing to do.", "{ended:#}");

    let sent = models.received().into_iter().rfind(|asked| asked.request.starts_with("POST ")).unwrap();
    let told = format!("{made} {ended} {}", server.log());
    assert_eq!(
        (sent.headers.get("authorization").map(String::as_str), told.contains(key)),
        (Some("Bearer sk-canary-0123456789"), false)
    );
}

#[tokio::test]
async fn an_assistant_goes_on_after_its_process_was_killed_while_the_model_answered() {
    let (place, tracker, models) =
        (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await, provider(ProviderKind::OpenAi).await);
    let server = served(place.path(), &tracker, &models, "openai");
    let ada = Client::administrator(&server).await;
    let agent = engaged(&ada, &clerk(&tracker, "house/echo-1")).await;
    models.prepare(wants_a_ticket());
    models.prepare(Act::Stall("It is"));
    let run = ada.execute(&agent, &json!("The lamp is broken.")).await;
    while models.received().iter().filter(|asked| asked.request.starts_with("POST ")).count() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    server.kill();
    models.prepare(Act::Answer(Reply::says(&["It is filed."])));

    let server = served(place.path(), &tracker, &models, "openai");
    let ended = ada.at(&server.url).run_ended(&run).await;

    assert_eq!((&ended["output"], tracker.tickets().len()), (&json!("It is filed."), 1), "{ended:#}");
}
