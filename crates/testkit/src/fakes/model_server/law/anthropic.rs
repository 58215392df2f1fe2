//! <https://platform.claude.com/docs/en/api/messages>

use serde_json::Value;

use super::{Judged, Minds, Seen, anthropic_schema, ensure, is_name, is_plain, list, text};

pub(super) fn judge(question: &Value, minds: &Minds) -> Judged {
    ensure(!text(question, "model").is_empty(), || "model: Field required".to_owned())?;
    ensure(question.get("max_tokens").is_some(), || "max_tokens: Field required".to_owned())?;
    let warmth = question.get("temperature").and_then(Value::as_f64).unwrap_or_default();
    ensure((0.0..=1.0).contains(&warmth), || "temperature: range: 0..1".to_owned())?;
    system(question)?;
    tools(question)?;
    let messages = list(question, "messages");
    let Some(first) = messages.first() else { return Err("messages: at least one message is required".to_owned()) };
    ensure(first["role"] == "user", || "messages: first message must use the \"user\" role".to_owned())?;
    let mut seen = Seen::default();
    for (at, message) in messages.iter().enumerate() {
        ensure(matches!(text(message, "role"), "user" | "assistant"), || {
            format!("messages.{at}.role: Unexpected role")
        })?;
        content(at, message)?;
        calls(at, message, messages.get(at + 1), &mut seen)?;
        results(at, message, at.checked_sub(1).and_then(|before| messages.get(before)))?;
        thoughts(at, message, minds)?;
    }
    let tools_told = messages.iter().flat_map(blocks).any(|block| text(block, "type").starts_with("tool_"));
    ensure(!tools_told || !list(question, "tools").is_empty(), || {
        "Requests which include `tool_use` or `tool_result` blocks must define tools".to_owned()
    })?;
    kept(question)?;
    match question.pointer("/output_config/format") {
        None => Ok(()),
        Some(format) if format["type"] == "json_schema" => anthropic_schema::judge(&format["schema"]),
        Some(_) => Err("output_config.format.type: Input should be 'json_schema'".to_owned()),
    }
}

fn blocks(message: &Value) -> impl Iterator<Item = &Value> {
    list(message, "content").iter()
}

fn of_kind<'a>(message: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    blocks(message).filter(move |block| block["type"] == kind)
}

fn system(question: &Value) -> Judged {
    let empty = match question.get("system") {
        None => false,
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => list(question, "system").iter().any(|block| text(block, "text").trim().is_empty()),
    };
    ensure(!empty, || "system: text content blocks must be non-empty".to_owned())
}

fn tools(question: &Value) -> Judged {
    let mut seen = Seen::default();
    for (at, tool) in list(question, "tools").iter().enumerate() {
        let name = text(tool, "name");
        ensure(is_name(name), || {
            format!("tools.{at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
        })?;
        ensure(seen.once(name), || "tools: Tool names must be unique.".to_owned())?;
        let schema = &tool["input_schema"];
        ensure(schema["type"] == "object", || {
            format!("tools.{at}.custom.input_schema.type: Input should be 'object'")
        })?;
        ensure(["oneOf", "allOf", "anyOf"].iter().all(|word| schema.get(word).is_none()), || {
            format!(
                "tools.{at}.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level"
            )
        })?;
    }
    Ok(())
}

fn content(at: usize, message: &Value) -> Judged {
    if let Some(text) = message["content"].as_str() {
        return ensure(!text.trim().is_empty(), || format!("messages.{at}: user messages must have non-empty content"));
    }
    ensure(blocks(message).next().is_some(), || format!("messages.{at}: all messages must have non-empty content"))?;
    ensure(of_kind(message, "text").all(|block| !text(block, "text").trim().is_empty()), || {
        "messages: text content blocks must contain non-whitespace text".to_owned()
    })
}

/// Each call has a valid id and name, an object of arguments, and its result in the next message.
fn calls(at: usize, message: &Value, next: Option<&Value>, seen: &mut Seen) -> Judged {
    for (number, call) in of_kind(message, "tool_use").enumerate() {
        let (id, place) = (text(call, "id"), format!("messages.{at}.content.{number}.tool_use"));
        ensure(message["role"] == "assistant", || {
            format!("{place}: `tool_use` blocks can only be in `assistant` messages")
        })?;
        ensure(is_plain(id), || format!("{place}.id: String should match pattern '^[a-zA-Z0-9_-]+$'"))?;
        ensure(seen.once(id), || "messages: `tool_use` ids must be unique".to_owned())?;
        ensure(is_name(text(call, "name")), || {
            format!("{place}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
        })?;
        ensure(call["input"].is_object(), || format!("{place}.input: Input should be a valid dictionary"))?;
        let answered = next.is_some_and(|next| {
            next["role"] == "user" && of_kind(next, "tool_result").any(|result| result["tool_use_id"] == id)
        });
        ensure(answered, || {
            format!("messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately after: {id}")
        })?;
    }
    Ok(())
}

/// Each result belongs to one call of the previous message, and precedes all other content.
fn results(at: usize, message: &Value, before: Option<&Value>) -> Judged {
    let mut seen = Seen::default();
    for (number, result) in of_kind(message, "tool_result").enumerate() {
        let (id, place) = (text(result, "tool_use_id"), format!("messages.{at}.content.{number}"));
        let called = before.is_some_and(|before| of_kind(before, "tool_use").any(|call| call["id"] == id));
        ensure(called, || format!("{place}: unexpected `tool_use_id` found in `tool_result` blocks: {id}"))?;
        ensure(seen.once(id), || format!("{place}: each tool_use must have a single result"))?;
        ensure(result["is_error"] != true || result["content"] != "", || {
            format!("{place}.tool_result: content cannot be empty if `is_error` is true")
        })?;
    }
    let told = blocks(message).skip_while(|block| block["type"] == "tool_result");
    ensure(told.into_iter().all(|block| block["type"] != "tool_result"), || {
        format!("messages.{at}: `tool_result` blocks must come first")
    })
}

/// Thinking before a call must be sent back before the call.
fn thoughts(at: usize, message: &Value, minds: &Minds) -> Judged {
    for call in of_kind(message, "tool_use") {
        let Some(mind) = minds.get(text(call, "id")) else { continue };
        let thought =
            blocks(message).next().is_some_and(|first| first["type"] == "thinking" && first["signature"] == *mind);
        ensure(thought, || {
            format!("messages.{at}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`")
        })?;
    }
    Ok(())
}

/// At most four blocks are marked for caching, none of them empty.
fn kept(question: &Value) -> Judged {
    let marked = ["system", "tools"].into_iter().flat_map(|member| list(question, member));
    let marked = marked.chain(list(question, "messages").iter().flat_map(blocks));
    let marked: Vec<_> = marked.filter(|block| block.get("cache_control").is_some()).collect();
    ensure(marked.len() <= 4, || {
        format!("A maximum of 4 blocks with cache_control may be provided. Found {}.", marked.len())
    })?;
    ensure(marked.iter().all(|block| block["cache_control"]["type"] == "ephemeral"), || {
        "cache_control.type: Input should be 'ephemeral'".to_owned()
    })
}
