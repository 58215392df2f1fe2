//! Both protocols against what asking models promises, over real sockets.

use std::{sync::Arc, time::Duration};

use devskyy_application::models::{ModelError, ModelRequest, Models as _};
use devskyy_domain::{
    conversation::{Message, ToolCall},
    kernel::Json,
    models::ProviderKind,
};
use devskyy_infrastructure::{
    models::{Endpoint, Patience, ProviderModels, Wire},
    tools::EgressPolicy,
};
use devskyy_testkit::{
    contracts::models::{Act, ModelsUnderTest, Reply, Stage as _, question},
    fakes::{FixedClock, ModelServer, NoDeltas},
};
use serde_json::{Value, json};

const KEY: &str = "sk-test-1234";

fn wire(policy: EgressPolicy, patience: Patience) -> Arc<Wire> {
    Arc::new(Wire::new(policy, Arc::new(FixedClock::default()), patience).unwrap())
}

async fn asked(kind: ProviderKind, patience: Patience, trusted: bool) -> (ProviderModels, Arc<ModelServer>) {
    let server = ModelServer::start(kind).await.unwrap();
    let endpoint = Endpoint { kind, base_url: server.base_url(), key: Some(KEY.into()), trusted, first_byte: None };
    (ProviderModels::new(endpoint, wire(EgressPolicy::default(), patience)), server)
}

async fn under_test(kind: ProviderKind) -> ModelsUnderTest {
    let (models, stage) = asked(kind, Patience::default(), true).await;
    ModelsUnderTest { models: Arc::new(models), stage }
}

mod openai {
    use super::{ModelsUnderTest, ProviderKind, under_test};

    async fn provider() -> ModelsUnderTest {
        under_test(ProviderKind::OpenAi).await
    }

    devskyy_testkit::models_contract!(provider);
}

mod anthropic {
    use super::{ModelsUnderTest, ProviderKind, under_test};

    async fn provider() -> ModelsUnderTest {
        under_test(ProviderKind::Anthropic).await
    }

    devskyy_testkit::models_contract!(provider);
}

/// A question in the middle of a conversation.
fn later() -> ModelRequest {
    let call = |id: &str, arguments: &str| ToolCall {
        id: id.to_owned(),
        name: "look".to_owned(),
        arguments: serde_json::from_str(arguments).unwrap_or_else(|_| Json::from(arguments)),
    };
    let result = |call: &str, failed| Message::Tool { call: call.to_owned(), text: "seen".to_owned(), failed };
    let mut request = question();
    request.messages.extend([
        Message::Assistant {
            text: "Let me look.".to_owned(),
            calls: vec![call("c1", "{\"at\":1}"), call("c2", "oops")],
        },
        result("c1", false),
        result("c2", true),
    ]);
    request
}

async fn sent(
    kind: ProviderKind,
    request: &ModelRequest,
) -> (String, std::collections::BTreeMap<String, String>, Value) {
    let (models, server) = asked(kind, Patience::default(), true).await;
    server.prepare(Act::Answer(Reply::says(&["hm"])));
    models.ask(request, &NoDeltas).await.unwrap();
    let received = server.received().pop().unwrap();
    (received.request, received.headers, received.body)
}

#[tokio::test]
async fn a_conversation_is_told_in_chat_completions() {
    let (_, _, body) = sent(ProviderKind::OpenAi, &later()).await;
    let call =
        |id: &str, text: &str| json!({"id": id, "type": "function", "function": {"name": "look", "arguments": text}});
    let function = json!({"name": "look", "description": "Looks.", "parameters": {"type": "object"}});
    let schema = json!({"name": "greeting", "schema": {"type": "object"}, "strict": false});
    let expected = json!({
        "model": "echo-1",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Gr\u{fc}\u{df}e?"},
            {"role": "assistant", "content": "Let me look.", "tool_calls": [call("c1", "{\"at\":1}"), call("c2", "oops")]},
            {"role": "tool", "tool_call_id": "c1", "content": "seen"},
            {"role": "tool", "tool_call_id": "c2", "content": "seen"},
        ],
        "stream": true,
        "stream_options": {"include_usage": true},
        "max_tokens": 100,
        "temperature": 0.5,
        "tools": [{"type": "function", "function": function}],
        "response_format": {"type": "json_schema", "json_schema": schema},
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_conversation_is_told_in_messages() {
    let (_, _, body) = sent(ProviderKind::Anthropic, &later()).await;
    let result = |id: &str, failed: bool| json!({"type": "tool_result", "tool_use_id": id, "content": "seen", "is_error": failed});
    let expected = json!({
        "model": "echo-1",
        "max_tokens": 100,
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Gr\u{fc}\u{df}e?"}]},
            {"role": "assistant", "content": [
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "c1", "name": "look", "input": {"at": 1}},
                {"type": "tool_use", "id": "c2", "name": "look", "input": {"arguments": "oops"}},
            ]},
            {"role": "user", "content": [result("c1", false), result("c2", true)]},
        ],
        "stream": true,
        "temperature": 0.5,
        "tools": [{"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}],
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn an_openai_key_travels_as_a_bearer() {
    let (request, headers, _) = sent(ProviderKind::OpenAi, &question()).await;
    assert_eq!(
        (request.as_str(), headers["authorization"].as_str()),
        ("POST /v1/chat/completions", "Bearer sk-test-1234")
    );
}

#[tokio::test]
async fn an_anthropic_key_travels_in_its_own_header_beside_the_version() {
    let (request, headers, _) = sent(ProviderKind::Anthropic, &question()).await;
    let credentials = (headers["x-api-key"].as_str(), headers["anthropic-version"].as_str());
    assert_eq!((request.as_str(), credentials), ("POST /v1/messages", (KEY, "2023-06-01")));
}

#[tokio::test]
async fn a_local_server_needs_only_its_address() {
    let server = ModelServer::start(ProviderKind::OpenAi).await.unwrap();
    let endpoint = Endpoint {
        kind: ProviderKind::OpenAi,
        base_url: server.base_url(),
        key: None,
        trusted: true,
        first_byte: None,
    };
    let models = ProviderModels::new(endpoint, wire(EgressPolicy::default(), Patience::default()));
    server.prepare(Act::Answer(Reply::says(&["hm"])));
    models.ask(&question(), &NoDeltas).await.unwrap();
    assert_eq!(server.received()[0].headers.get("authorization"), None);
}

#[tokio::test]
async fn a_private_address_that_the_operator_did_not_name_is_refused() {
    let (models, server) = asked(ProviderKind::OpenAi, Patience::default(), false).await;
    let failure = models.ask(&question(), &NoDeltas).await.unwrap_err();
    assert!(matches!(failure, ModelError::Refused { .. }) && server.received().is_empty(), "{failure:?}");
}

#[tokio::test]
async fn a_provider_that_does_not_begin_in_time_is_given_up() {
    let patience = Patience { first_byte: Duration::from_millis(100), idle: Duration::from_secs(60) };
    let (models, server) = asked(ProviderKind::OpenAi, patience, true).await;
    server.prepare(Act::Silence);
    let failure = models.ask(&question(), &NoDeltas).await.unwrap_err();
    assert!(matches!(failure, ModelError::Timeout), "{failure:?}");
}

#[tokio::test]
async fn a_provider_may_have_a_patience_of_its_own() {
    let server = ModelServer::start(ProviderKind::OpenAi).await.unwrap();
    let (base_url, first_byte) = (server.base_url(), Some(Duration::from_millis(100)));
    let endpoint = Endpoint { kind: ProviderKind::OpenAi, base_url, key: None, trusted: true, first_byte };
    let models = ProviderModels::new(endpoint, wire(EgressPolicy::default(), Patience::default()));
    server.prepare(Act::Silence);
    let failure = models.ask(&question(), &NoDeltas).await.unwrap_err();
    assert!(matches!(failure, ModelError::Timeout), "{failure:?}");
}

#[tokio::test]
async fn a_provider_that_pauses_too_long_is_given_up() {
    let patience = Patience { first_byte: Duration::from_secs(60), idle: Duration::from_millis(100) };
    let (models, server) = asked(ProviderKind::Anthropic, patience, true).await;
    server.prepare(Act::Stall("Once upon"));
    let failure = models.ask(&question(), &NoDeltas).await.unwrap_err();
    assert!(matches!(failure, ModelError::Timeout), "{failure:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let endpoint = Endpoint {
        kind: ProviderKind::OpenAi,
        base_url: "http://127.0.0.1:9/v1".to_owned(),
        key: None,
        trusted: true,
        first_byte: None,
    };
    let models = ProviderModels::new(endpoint, wire(EgressPolicy::default(), Patience::default()));
    let failure = models.ask(&question(), &NoDeltas).await.unwrap_err();
    assert!(matches!(failure, ModelError::Unavailable { .. }), "{failure:?}");
}
