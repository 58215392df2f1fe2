//! Streamed responses of Anthropic's Messages API.

use devskyy_domain::conversation::{Finish, TokenCount};
use serde_json::{Value, json};

use crate::contracts::models::{CallScript, Reply};

fn event(document: &Value) -> String {
    let kind = document.get("type").and_then(Value::as_str).unwrap_or_default();
    format!("event: {kind}\ndata: {document}\n\n")
}

fn start(usage: TokenCount) -> String {
    event(&json!({"type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "echo-1-2026", "content": [],
        "stop_reason": null, "stop_sequence": null,
        "usage": {
            "input_tokens": usage.input, "cache_creation_input_tokens": usage.cache_write,
            "cache_read_input_tokens": usage.cache_read, "output_tokens": 1,
        },
    }}))
}

fn block(index: usize, begun: &Value, pieces: &[Value]) -> Vec<String> {
    let mut events = vec![event(&json!({"type": "content_block_start", "index": index, "content_block": begun}))];
    events.extend(
        pieces.iter().map(|delta| event(&json!({"type": "content_block_delta", "index": index, "delta": delta}))),
    );
    events.push(event(&json!({"type": "content_block_stop", "index": index})));
    events
}

fn text(index: usize, pieces: &[&str]) -> Vec<String> {
    let pieces: Vec<_> = pieces.iter().map(|text| json!({"type": "text_delta", "text": text})).collect();
    block(index, &json!({"type": "text", "text": ""}), &pieces)
}

/// A thinking block with its signature, which the provider requires back.
fn thought(mind: &str) -> Vec<String> {
    let (begun, ended) = mind.split_at(mind.len() / 2);
    let thoughts = ["Hm, ", "well."].map(|thought| json!({"type": "thinking_delta", "thinking": thought}));
    let signatures = [begun, ended].map(|signature| json!({"type": "signature_delta", "signature": signature}));
    let pieces: Vec<_> = thoughts.into_iter().chain(signatures).collect();
    block(0, &json!({"type": "thinking", "thinking": "", "signature": ""}), &pieces)
}

fn call(index: usize, call: &CallScript) -> Vec<String> {
    let begun = json!({"type": "tool_use", "id": call.id, "name": call.name, "input": {}});
    let pieces = [""].iter().chain(&call.arguments);
    let pieces: Vec<_> = pieces.map(|json| json!({"type": "input_json_delta", "partial_json": json})).collect();
    block(index, &begun, &pieces)
}

pub(super) fn opening(said: &str) -> Vec<String> {
    let mut events = vec![start(TokenCount::default()), event(&json!({"type": "ping"}))];
    events.extend(text(0, &[said]).into_iter().take(2));
    events
}

pub(super) fn events(reply: &Reply) -> Vec<String> {
    let mut events = vec![start(reply.usage), event(&json!({"type": "ping"}))];
    if let Some(mind) = reply.mind {
        events.extend(thought(mind));
    }
    let first = usize::from(reply.mind.is_some());
    if !reply.pieces.is_empty() {
        events.extend(text(first, &reply.pieces));
    }
    for (at, script) in reply.calls.iter().enumerate() {
        events.extend(call(first + at + 1, script));
    }
    let reason = match reply.finish {
        Finish::Stop => "end_turn",
        Finish::ToolCalls => "tool_use",
        Finish::Length => "max_tokens",
        Finish::Refused => "refusal",
    };
    events.extend(end(reason, reply.usage));
    events
}

fn end(reason: &str, usage: TokenCount) -> [String; 2] {
    let usage = json!({
        "output_tokens": usage.output + usage.reasoning,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
    });
    let delta = json!({"stop_reason": reason, "stop_sequence": null});
    [event(&json!({"type": "message_delta", "delta": delta, "usage": usage})), event(&json!({"type": "message_stop"}))]
}

pub(super) fn ending(reason: &str) -> Vec<String> {
    let mut events = vec![start(TokenCount { input: 9, ..TokenCount::default() })];
    events.extend(text(0, &["Hm."]));
    events.extend(end(reason, TokenCount { output: 1, ..TokenCount::default() }));
    events
}

pub(super) fn refused(why: &str) -> String {
    json!({"type": "error", "error": {"type": "invalid_request_error", "message": why}, "request_id": "req_1"})
        .to_string()
}

pub(super) fn fault(code: &str) -> String {
    json!({"type": "error", "error": {"type": code, "message": format!("invalid {code}: x-api-key: sk-test-1234")}, "request_id": "req_1"})
        .to_string()
}
