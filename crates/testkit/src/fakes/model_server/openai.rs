//! Streamed chat completions with `stream_options.include_usage`.

use devskyy_domain::conversation::{Finish, TokenCount};
use serde_json::{Value, json};

use crate::contracts::models::{CallScript, Reply};

fn event(document: &Value) -> String {
    format!("data: {document}\n\n")
}

fn chunk(delta: &Value, finish: Option<&str>) -> String {
    let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
    event(&json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_767_268_800, "model": "echo-1-2026",
        "choices": [choice], "usage": null,
    }))
}

pub(super) fn opening(said: &str) -> Vec<String> {
    let role = json!({"role": "assistant", "content": ""});
    vec![": keep-alive\n\n".to_owned(), chunk(&role, None), chunk(&json!({"content": said}), None)]
}

/// A piece of reasoning in the form of multi-vendor gateways.
fn detail(mut piece: Value) -> String {
    piece["type"] = "reasoning.text".into();
    piece["index"] = 0.into();
    chunk(&json!({"reasoning_details": [piece]}), None)
}

/// A call begins with its id and name; its arguments follow, interleaved with those of other calls.
fn calls(calls: &[CallScript], mind: Option<&str>) -> Vec<String> {
    let begun = calls.iter().enumerate().map(|(index, call)| {
        let function = json!({"name": call.name, "arguments": ""});
        let mut begun = json!({"index": index, "id": call.id, "type": "function", "function": function});
        if let Some(mind) = mind {
            begun["extra_content"] = json!({"google": {"thought_signature": mind}});
        }
        begun
    });
    let rounds = calls.iter().map(|call| call.arguments.len()).max().unwrap_or(0);
    let pieces = (0..rounds).flat_map(|round| {
        calls.iter().enumerate().filter_map(move |(index, call)| {
            let arguments = call.arguments.get(round)?;
            Some(json!({"index": index, "function": {"arguments": arguments}}))
        })
    });
    begun.chain(pieces).map(|call| chunk(&json!({"tool_calls": [call]}), None)).collect()
}

/// The totals include the details.
fn billed(usage: TokenCount) -> Value {
    let prompt = usage.input + usage.cache_read + usage.cache_write;
    let completion = usage.output + usage.reasoning;
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write, "audio_tokens": 0,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": 0},
    })
}

pub(super) fn events(reply: &Reply) -> Vec<String> {
    let mut events = vec![chunk(&json!({"role": "assistant", "content": ""}), None)];
    if let Some(mind) = reply.mind {
        let pieces = [json!({"text": "Hm, "}), json!({"text": "well."}), json!({"signature": mind})];
        events.extend(pieces.into_iter().map(detail));
    }
    let thought = reply.mind.map(|mind| mind.split_at(mind.len() / 2));
    let thought = thought.into_iter().flat_map(|(begun, ended)| [begun, ended]);
    events.extend(thought.map(|thought| chunk(&json!({"reasoning_content": thought, "content": null}), None)));
    events.extend(reply.pieces.iter().map(|piece| chunk(&json!({"content": piece}), None)));
    events.extend(calls(&reply.calls, reply.mind));
    let reason = match reply.finish {
        Finish::Stop => "stop",
        Finish::ToolCalls => "tool_calls",
        Finish::Length => "length",
        Finish::Refused => "content_filter",
    };
    events.extend(end(reason, reply.usage));
    events
}

fn end(reason: &str, usage: TokenCount) -> [String; 3] {
    let used = event(&json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_767_268_800, "model": "echo-1-2026",
        "choices": [], "usage": billed(usage),
    }));
    [chunk(&json!({}), Some(reason)), used, "data: [DONE]\n\n".to_owned()]
}

pub(super) fn ending(reason: &str) -> Vec<String> {
    let mut events = opening("Hm.");
    events.extend(end(reason, TokenCount { input: 9, output: 1, ..TokenCount::default() }));
    events
}

pub(super) fn refused(why: &str) -> String {
    json!({"error": {"message": why, "type": "invalid_request_error", "param": null, "code": null}}).to_string()
}

pub(super) fn fault(code: &str) -> String {
    json!({"error": {"message": format!("Incorrect, {code}: sk-test-1234."), "type": code, "param": null, "code": code}}).to_string()
}
