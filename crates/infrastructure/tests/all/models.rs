//! Both protocols against the contract of model calls, over real sockets.

use std::{sync::Arc, time::Duration};

use devskyy_application::models::{ModelError, ModelRequest, Models as _, OutputFormat};
use devskyy_domain::{
    conversation::{Finish, Message, ToolCall},
    kernel::Json,
    models::ProviderKind,
};
use devskyy_infrastructure::{
    models::{Endpoint, Patience, ProviderModels, Wire},
    tools::EgressPolicy,
};
use devskyy_testkit::{
    contracts::models::{
        Act, ModelsUnderTest, Reply, Stage as _, question,
        questions::{begun_with_others, formed as formed_questions},
    },
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

/// A request in the middle of a conversation.
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
            by: "fake/echo-1".to_owned(),
            carry: None,
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

/// The instructions, and the form of the answer in words.
const TOLD: &str = "Be brief.\n\nWhen you need no more tools, answer with nothing but one JSON document that fits this JSON \
                    Schema, without any text around it:\n{\"type\":\"object\"}";

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
            {"role": "system", "content": TOLD},
            {"role": "user", "content": "Gr\u{fc}\u{df}e?"},
            {"role": "assistant", "content": "Let me look.", "tool_calls": [call("c1", "{\"at\":1}"), call("c2", "{\"arguments\":\"oops\"}")]},
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
    let (kept, mut last) = (json!({"type": "ephemeral"}), result("c2", true));
    last["cache_control"] = kept.clone();
    let expected = json!({
        "model": "echo-1",
        "max_tokens": 100,
        "system": [{"type": "text", "text": TOLD, "cache_control": kept}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Gr\u{fc}\u{df}e?", "cache_control": kept}]},
            {"role": "assistant", "content": [
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "c1", "name": "look", "input": {"at": 1}},
                {"type": "tool_use", "id": "c2", "name": "look", "input": {"arguments": "oops"}},
            ]},
            {"role": "user", "content": [result("c1", false), last]},
        ],
        "stream": true,
        "temperature": 0.5,
        "tools": [{"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}],
    });
    assert_eq!(body, expected);
}

/// The model's first input, and the requested form of the answer.
async fn formed(kind: ProviderKind, schema: Value) -> (String, Value) {
    let schema = serde_json::from_value(schema).unwrap();
    let output = Some(OutputFormat { name: "output".to_owned(), schema });
    let (_, _, body) = sent(kind, &ModelRequest { output, ..question() }).await;
    let told = ["/system/0/text", "/messages/0/content"].map(|place| body.pointer(place).and_then(Value::as_str));
    let told = told.into_iter().flatten().next().unwrap_or_default().to_owned();
    let format =
        ["/output_config/format/schema", "/response_format/json_schema"].map(|place| body.pointer(place).cloned());
    (told, format.into_iter().flatten().next().unwrap_or_default())
}

#[tokio::test]
async fn what_anthropic_enforces_is_not_told_in_words() {
    let schema = json!({"type": "object", "properties": {"total": {"type": "integer"}}, "additionalProperties": false});
    assert_eq!(formed(ProviderKind::Anthropic, schema.clone()).await, ("Be brief.".to_owned(), schema));
}

#[tokio::test]
async fn what_anthropic_does_not_enforce_is_told_in_words() {
    let schema = json!({"type": "object", "properties": {"total": {"type": "integer", "minimum": 7}}});
    let enforced =
        json!({"type": "object", "properties": {"total": {"type": "integer"}}, "additionalProperties": false});
    let (told, format) = formed(ProviderKind::Anthropic, schema).await;
    assert!(told.contains("\"minimum\":7") && format == enforced, "{told} {format}");
}

#[tokio::test]
async fn a_local_server_is_told_the_form_of_an_answer_in_words_too() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"], "additionalProperties": false});
    let (told, format) = formed(ProviderKind::OpenAi, schema.clone()).await;
    let asked = json!({"name": "output", "schema": schema, "strict": true});
    assert!(told.ends_with(&schema.to_string()) && format == asked, "{told} {format}");
}

#[tokio::test]
async fn no_form_of_an_answer_is_refused_first() {
    let mut refused = vec![];
    for kind in [ProviderKind::OpenAi, ProviderKind::Anthropic] {
        let (models, server) = asked(kind, Patience::default(), true).await;
        for request in formed_questions() {
            server.prepare(Act::Answer(Reply::says(&["{}"])));
            models.ask(&request, &NoDeltas).await.unwrap();
        }
        refused.extend(server.received().iter().filter_map(|asked| ModelServer::refusal(kind, &asked.body)));
    }
    assert_eq!(refused, Vec::<String>::new());
}

#[tokio::test]
async fn a_form_that_was_refused_is_not_asked_for_again() {
    let (models, server) = asked(ProviderKind::OpenAi, Patience::default(), true).await;
    server.prepare(Act::Status { status: 400, retry_after: None, code: "response_format" });
    for _ in 0..2 {
        server.prepare(Act::Answer(Reply::says(&["{}"])));
        models.ask(&question(), &NoDeltas).await.unwrap();
    }
    let formed: Vec<_> = server.received().iter().map(|asked| asked.body.get("response_format").is_some()).collect();
    assert_eq!(formed, [true, false, false]);
}

/// Whether each request asked for a form of the answer, and described it in words; the provider takes the second only.
async fn asked_again(kind: ProviderKind) -> Vec<(bool, bool)> {
    let (models, server) = asked(kind, Patience::default(), true).await;
    server.prepare(Act::Status { status: 400, retry_after: None, code: "response_format" });
    server.prepare(Act::Answer(Reply::says(&["{}"])));
    let schema = json!({"type": "object", "properties": {"total": {"type": "integer"}}, "additionalProperties": false});
    let output = Some(OutputFormat { name: "output".to_owned(), schema: serde_json::from_value(schema).unwrap() });
    models.ask(&ModelRequest { output, ..question() }, &NoDeltas).await.unwrap();
    let formed = |body: &Value| body.get("output_config").is_some() || body.get("response_format").is_some();
    let told = |body: &Value| format!("{}{}", body["system"], body["messages"][0]).contains("JSON Schema");
    server.received().iter().map(|asked| (formed(&asked.body), told(&asked.body))).collect()
}

#[tokio::test]
async fn a_server_that_takes_no_form_of_an_answer_is_asked_in_words() {
    let both = [asked_again(ProviderKind::OpenAi).await, asked_again(ProviderKind::Anthropic).await];
    assert_eq!(both, [vec![(true, true), (false, true)], vec![(true, false), (false, true)]]);
}

/// The finish of an answer with this stop reason.
async fn ends(kind: ProviderKind, reason: &'static str) -> Finish {
    let (models, server) = asked(kind, Patience::default(), true).await;
    server.prepare(Act::Stops(reason));
    models.ask(&question(), &NoDeltas).await.unwrap().finish
}

#[tokio::test]
async fn reasons_to_stop_are_known_by_the_names_that_others_have_for_them() {
    let mut ended = vec![];
    for reason in ["eos", "end_turn", "STOP", "length", "model_length", "max_tokens", "content_filter", "refusal"] {
        ended.push(ends(ProviderKind::OpenAi, reason).await);
    }
    ended.push(ends(ProviderKind::Anthropic, "stop_sequence").await);
    let (stop, length, refused) = (Finish::Stop, Finish::Length, Finish::Refused);
    assert_eq!(ended, [stop, stop, stop, length, length, length, refused, refused, stop]);
}

#[tokio::test]
async fn an_answer_that_found_no_room_is_a_question_that_was_too_long() {
    let (models, server) = asked(ProviderKind::Anthropic, Patience::default(), true).await;
    server.prepare(Act::Stops("model_context_window_exceeded"));
    let failure = models.ask(&question(), &NoDeltas).await.unwrap_err();
    assert!(matches!(failure, ModelError::TooLong { .. }), "{failure:?}");
}

#[tokio::test]
async fn calls_of_others_are_told_under_ids_and_names_that_every_vendor_takes() {
    let (_, _, body) = sent(ProviderKind::Anthropic, &begun_with_others()).await;
    let told = |member: &str| -> Vec<String> {
        let blocks = body["messages"].as_array().unwrap().iter().flat_map(|turn| turn["content"].as_array().unwrap());
        let uses = blocks.filter(|block| block["type"] == "tool_use");
        uses.map(|call| call[member].as_str().unwrap().to_owned()).collect()
    };
    let (mut ids, names) = (told("id"), told("name"));
    ids.sort();
    ids.dedup();
    let name = format!("look{}", "look".repeat(15));
    assert_eq!((ids.len(), &names[..4]), (8, &["functions_look".into(), "unnamed".into(), name, "look".into()][..]));
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
