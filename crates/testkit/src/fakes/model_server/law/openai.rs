//! <https://platform.openai.com/docs/api-reference/chat/create>; data that other vendors with this protocol require
//! back: <https://ai.google.dev/gemini-api/docs/thought-signatures>,
//! <https://api-docs.deepseek.com/guides/thinking_mode>, <https://openrouter.ai/docs/use-cases/reasoning-tokens>.

use serde_json::{Value, json};

use super::{Judged, Minds, Seen, ensure, is_name, list, openai_schema, text};

pub(super) fn judge(question: &Value, minds: &Minds) -> Judged {
    ensure(!text(question, "model").is_empty(), || "you must provide a model parameter".to_owned())?;
    let warmth = question.get("temperature").and_then(Value::as_f64).unwrap_or_default();
    ensure((0.0..=2.0).contains(&warmth), || "Invalid 'temperature': expected a value <= 2".to_owned())?;
    tools(question)?;
    let messages = list(question, "messages");
    ensure(!messages.is_empty(), || "Invalid 'messages': empty array.".to_owned())?;
    let (mut seen, mut owed): (_, Vec<&str>) = (Seen::default(), Vec::new());
    for (at, message) in messages.iter().enumerate() {
        if message["role"] == "tool" {
            let id = text(message, "tool_call_id");
            let place = owed.iter().position(|owed| *owed == id);
            let Some(place) = place else {
                return Err("messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
                    .to_owned());
            };
            owed.remove(place);
            ensure(message["content"].is_string(), || format!("Invalid type for 'messages[{at}].content'"))?;
            continue;
        }
        answered(&owed)?;
        ensure(matches!(text(message, "role"), "system" | "developer" | "user" | "assistant"), || {
            format!("Invalid value for 'messages[{at}].role'")
        })?;
        let calls = list(message, "tool_calls");
        ensure(message["content"].is_string() || !calls.is_empty(), || {
            format!("Invalid value for 'content': expected a string, got null. messages[{at}]")
        })?;
        for call in calls {
            called(at, call, &mut seen)?;
            thought(message, call, minds)?;
        }
        owed = calls.iter().map(|call| text(call, "id")).collect();
    }
    answered(&owed)?;
    format(question)
}

fn answered(owed: &[&str]) -> Judged {
    ensure(owed.is_empty(), || {
        format!(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each \
             'tool_call_id'. The following tool_call_ids did not have response messages: {}",
            owed.join(", ")
        )
    })
}

fn tools(question: &Value) -> Judged {
    for (at, tool) in list(question, "tools").iter().enumerate() {
        let name = text(&tool["function"], "name");
        ensure(is_name(name), || {
            format!("Invalid 'tools[{at}].function.name': string does not match pattern '^[a-zA-Z0-9_-]+$'.")
        })?;
        let schema = &tool["function"]["parameters"];
        let plain = ["oneOf", "anyOf", "allOf", "enum", "not"].iter().all(|word| schema.get(word).is_none());
        ensure(schema["type"] == "object" && plain, || {
            format!(
                "Invalid schema for function '{name}': schema must have type 'object' and not have \
                 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level."
            )
        })?;
    }
    Ok(())
}

fn called(at: usize, call: &Value, seen: &mut Seen) -> Judged {
    let (id, function) = (text(call, "id"), &call["function"]);
    ensure((1..=40).contains(&id.len()), || {
        format!("Invalid 'messages[{at}].tool_calls[].id': string has a wrong length.")
    })?;
    ensure(seen.once(id), || format!("Duplicate value for 'tool_call_id' of '{id}'"))?;
    ensure(is_name(text(function, "name")), || {
        format!(
            "Invalid 'messages[{at}].tool_calls[].function.name': string does not match pattern '^[a-zA-Z0-9_-]+$'."
        )
    })?;
    let arguments = serde_json::from_str::<Value>(text(function, "arguments"));
    ensure(arguments.is_ok_and(|arguments| arguments.is_object()), || {
        format!("Invalid 'messages[{at}].tool_calls[].function.arguments': it is no JSON of an object.")
    })
}

/// Reasoning before a call must be sent back: its text, its details put together, and its signature at the call.
fn thought(message: &Value, call: &Value, minds: &Minds) -> Judged {
    let Some(mind) = minds.get(text(call, "id")) else { return Ok(()) };
    ensure(message["reasoning_content"] == *mind, || {
        "The `reasoning_content` in the thinking mode must be passed back to the API.".to_owned()
    })?;
    let whole = json!([{"type": "reasoning.text", "index": 0, "text": "Hm, well.", "signature": mind}]);
    ensure(message["reasoning_details"] == whole, || "Invalid `signature` in `thinking` block".to_owned())?;
    ensure(call["extra_content"]["google"]["thought_signature"] == *mind, || {
        "Function call is missing a thought_signature in functionCall parts.".to_owned()
    })
}

fn format(question: &Value) -> Judged {
    let Some(format) = question.get("response_format") else { return Ok(()) };
    ensure(format["type"] == "json_schema", || "Invalid value for 'response_format.type'".to_owned())?;
    let format = &format["json_schema"];
    ensure(is_name(text(format, "name")), || {
        "Invalid 'response_format.json_schema.name': string does not match pattern '^[a-zA-Z0-9_-]+$'.".to_owned()
    })?;
    openai_schema::judge(text(format, "name"), &format["schema"], format["strict"] == true)
}
