//! Assistants: a model is called, the calls it requests are made, and it answers.

use std::{path::Path, process::Command, sync::Arc, time::Duration};

use devskyy_domain::{
    conversation::{Finish, TokenCount},
    models::ProviderKind,
};
use devskyy_testkit::{
    contracts::models::{Act, CallScript, Reply, Stage as _},
    fakes::{McpAct, McpServer, ModelServer},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{client::Client, running::reaching, server::Server, tracker::Tracker};

/// A server whose platform provider `house` is a scripted model.
pub(crate) fn served(directory: &Path, tracker: &Tracker, models: &ModelServer, kind: &str) -> Server {
    Server::start_with(directory, |command| {
        reaching(tracker)(command);
        housed(models, kind)(command);
    })
}

/// Configures the platform's provider `house`.
pub(crate) fn housed(models: &ModelServer, kind: &str) -> impl Fn(&mut Command) {
    let settings = [format!("models.house.kind={kind}"), format!("models.house.base_url={}", models.base_url())];
    move |command| {
        for setting in &settings {
            command.args(["--set", setting]);
        }
        command.env("DEVSKYY_MODELS__HOUSE__API_KEY", "sk-journey-4711");
    }
}

/// Handles tickets with one tool.
pub(crate) fn clerk(tracker: &Tracker, model: &str) -> Value {
    let mut file_ticket = tracker.tool();
    file_ticket["description"] = json!("Files a ticket.");
    file_ticket["input_schema"] = json!({
        "type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}
    });
    json!({"model": model, "instructions": "File what you are told.", "tools": {"file_ticket": file_ticket}})
}

pub(crate) fn wants_a_ticket() -> Act {
    let call = CallScript { id: "call_1", name: "file_ticket", arguments: vec!["{\"title\":", "\"lamp\"}"] };
    let usage = TokenCount { input: 20, output: 7, ..TokenCount::default() };
    Act::Answer(Reply { pieces: vec![], calls: vec![call], finish: Finish::ToolCalls, usage, cut: 0, mind: None })
}

async fn assistant(ada: &Client, definition: &Value) -> crate::client::Answer {
    let body = json!({"name": "Clerk", "type": "assistant", "capabilities": ["tickets"], "definition": definition});
    ada.post("/api/v1/agents", &body).await
}

pub(crate) async fn engaged(ada: &Client, definition: &Value) -> String {
    let agent = assistant(ada, definition).await.expect(StatusCode::CREATED);
    agent["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn provider(kind: ProviderKind) -> Arc<ModelServer> {
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

/// The only model step of a run, once it has ended: its version, its cost and its price.
async fn priced(ada: &Client, run: &str) -> (Value, Value, Value) {
    let ended = ada.run_ended(run).await;
    let asked = ended["steps"].as_array().unwrap().iter().find(|step| step["price"].is_object());
    let price = asked.unwrap_or_else(|| panic!("no price: {ended:#}"))["price"].clone();
    (ended["agent_version"].clone(), ended["usage"]["cost_micros"].clone(), price)
}

#[tokio::test]
async fn a_run_shows_the_version_the_tools_and_the_price_of_its_time() {
    let (place, tracker, models) =
        (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await, provider(ProviderKind::OpenAi).await);
    let server = Server::start_with(place.path(), |command| {
        let address = models.base_url();
        let address = address.trim_start_matches("http://").trim_end_matches("/v1");
        reaching(&tracker)(command);
        command.args(["--set", &format!("egress.allow_private={},{address}", tracker.address)]);
    });
    let ada = Client::administrator(&server).await;
    let me = ada.get("/api/v1/auth/me").await.expect(StatusCode::OK);
    let providers = format!("/api/v1/projects/{}/providers", me["personal_project_id"].as_str().unwrap());
    let prices = |input: u64| json!({"echo-1": {"input": input, "output": 1_000_000}});
    let body = json!({"name": "own", "kind": "openai", "base_url": models.base_url(), "key": "sk-journey-4711", "prices": prices(2_000_000)});
    let own = ada.post(&providers, &body).await.expect(StatusCode::CREATED)["id"].as_str().unwrap().to_owned();
    let agent = engaged(&ada, &clerk(&tracker, "own/echo-1")).await;
    models.prepare(wants_a_ticket());
    models.prepare(Act::Answer(Reply::says(&["It is filed."])));
    let run = ada.execute(&agent, &json!("The lamp is broken.")).await;
    let before = ada.run_ended(&run).await;

    let dearer = ada.request(Method::PATCH, &format!("{providers}/{own}")).json(&json!({"prices": prices(9_000_000)}));
    assert_eq!(dearer.send().await.unwrap().status(), StatusCode::OK);
    let other = json!({"definition": {"model": "own/echo-1", "instructions": "Only talk."}});
    ada.post(&format!("/api/v1/agents/{agent}/versions"), &other).await.expect(StatusCode::CREATED);
    models.prepare(Act::Answer(Reply::says(&["The lamp."])));
    let later = ada.execute(&agent, &json!("What is broken?")).await;

    let price = |number: u32, input: u64| json!({"list": format!("provider:{own}:{number}"), "input": input, "output": 1_000_000, "cache_read": 0, "cache_write": 0, "reasoning": 0});
    let versions = (priced(&ada, &run).await, priced(&ada, &later).await);
    let expected = ((json!(1), json!(68), price(1, 2_000_000)), (json!(2), json!(84), price(2, 9_000_000)));
    assert_eq!(versions, expected);
    assert_eq!(ada.run_ended(&run).await, before);
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

/// A run of an assistant whose model calls a tool of such a server, and the server.
async fn searched(act: McpAct) -> (Value, McpServer, Arc<ModelServer>) {
    let place = tempfile::tempdir().unwrap();
    let (models, finder) = (provider(ProviderKind::OpenAi).await, McpServer::start(act).await.unwrap());
    let server = Server::start_with(place.path(), |command| {
        housed(&models, "openai")(command);
        command.args(["--set", "egress.allow_http=true", "--set", &format!("egress.allow_private={}", finder.address)]);
    });
    let ada = Client::administrator(&server).await;
    let tool =
        json!({"kind": "mcp", "effect": "read_only", "server": {"url": finder.url(), "tool": "find", "timeout_s": 5}});
    let definition = json!({"model": "house/echo-1", "instructions": "Find it.", "tools": {"find": tool}});
    let agent = engaged(&ada, &definition).await;
    let call = CallScript { id: "call_1", name: "find", arguments: vec!["{\"name\":\"lamp\"}"] };
    let usage = TokenCount { input: 20, output: 7, ..TokenCount::default() };
    models.prepare(Act::Answer(Reply {
        pieces: vec![],
        calls: vec![call],
        finish: Finish::ToolCalls,
        usage,
        cut: 0,
        mind: None,
    }));
    models.prepare(Act::Answer(Reply::says(&["That is all."])));
    let run = ada.execute(&agent, &json!("Where is the lamp?")).await;
    (ada.run_ended(&run).await, finder, models)
}

/// The model's last input.
fn told(models: &ModelServer) -> String {
    let asked = models.received().into_iter().rfind(|asked| asked.request.starts_with("POST ")).unwrap();
    let messages = asked.body["messages"].as_array().unwrap().clone();
    messages.last().unwrap()["content"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_assistant_uses_a_tool_of_a_server_of_tools() {
    let (ended, finder, models) = searched(McpAct::Answer).await;
    let called: Vec<Value> = finder.calls().iter().map(|call| call["arguments"].clone()).collect();
    assert_eq!(
        (&ended["output"], called, told(&models).contains("\"found\":1")),
        (&json!("That is all."), vec![json!({"name": "lamp"})], true),
        "{ended:#} {}",
        told(&models)
    );
}

#[tokio::test]
async fn a_model_is_shown_what_a_tool_of_a_server_of_tools_is() {
    let (_, _, models) = searched(McpAct::Answer).await;
    let asked = models.received().into_iter().find(|asked| asked.request.starts_with("POST ")).unwrap();
    let offered = &asked.body["tools"][0]["function"];
    assert_eq!(
        (&offered["description"], &offered["parameters"]["required"]),
        (&json!("Finds things."), &json!(["name"]))
    );
}

#[tokio::test]
async fn a_model_is_told_when_a_server_of_tools_refuses_its_call() {
    let (ended, _, models) = searched(McpAct::Refuse).await;
    assert_eq!(
        (&ended["status"], told(&models).contains("that is no name")),
        (&json!("completed"), true),
        "{ended:#} {}",
        told(&models)
    );
}

/// The reported usage if one model was unavailable and another answered with tokens of every class.
async fn usage_after_a_fallback(kind: ProviderKind) -> Value {
    let (place, tracker, models) =
        (tempfile::tempdir().unwrap(), Tracker::start(Duration::ZERO).await, provider(kind).await);
    let server = served(place.path(), &tracker, &models, kind.as_str());
    let ada = Client::administrator(&server).await;
    let mut definition = clerk(&tracker, "house/away");
    definition["fallbacks"] = json!(["house/echo-1"]);
    let price = json!({"input": 1_000_000, "output": 2_000_000, "cache_read": 100_000, "cache_write": 1_250_000});
    definition["prices"] = json!({"house/echo-1": price});
    let agent = engaged(&ada, &definition).await;
    models.prepare(Act::Status { status: 503, retry_after: None, code: "overloaded_error" });
    let usage = TokenCount { input: 20, output: 7, cache_read: 300, cache_write: 40, reasoning: 5 };
    models.prepare(Act::Answer(Reply { usage, ..Reply::says(&["Nothing to do."]) }));
    let run = ada.execute(&agent, &json!("All is well.")).await;
    let ended = ada.run_ended(&run).await;
    assert_eq!(ended["output"], "Nothing to do.", "{ended:#}");
    let usage = format!("/api/v1/projects/{}/usage?group_by=model,agent", ended["project_id"].as_str().unwrap());
    let told = ada.get(&usage).await.expect(StatusCode::OK);
    assert_eq!(
        (told["items"].as_array().map(Vec::len), told["items"][0]["agent_id"].as_str()),
        (Some(1), Some(&*agent))
    );
    told["items"][0].clone()
}

/// The usage of every provider's classes, as reported.
fn used_by_the_one_that_answered(agent: &Value) -> Value {
    json!({
        "day": null, "model": "house/echo-1", "agent_id": agent, "calls": 1, "unpriced_calls": 0, "estimated_calls": 0, "cost_micros": 124,
        "tokens": {"input": 20, "output": 7, "cache_read": 300, "cache_write": 40, "reasoning": 5}
    })
}

#[tokio::test]
async fn what_chat_completions_used_is_told_of_the_project_in_its_classes() {
    let told = usage_after_a_fallback(ProviderKind::OpenAi).await;
    assert_eq!(told, used_by_the_one_that_answered(&told["agent_id"]));
}

#[tokio::test]
async fn what_messages_used_is_told_of_the_project_in_its_classes() {
    let told = usage_after_a_fallback(ProviderKind::Anthropic).await;
    assert_eq!(told, used_by_the_one_that_answered(&told["agent_id"]));
}
