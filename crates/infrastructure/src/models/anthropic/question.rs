use std::collections::BTreeSet;

use devskyy_application::models::{ModelRequest, OutputFormat};
use devskyy_domain::{
    conversation::{Message, ToolCall},
    kernel::Json,
};
use serde_json::{Value, json};

use super::super::{
    calls::{CallIds, fit, is_plain_id, same_provider},
    schema,
};

/// The request body. If structured output is unsupported or not wanted, the form of the answer is described in words.
pub(in super::super) fn question(request: &ModelRequest, model: &str, formed: bool) -> Value {
    let form = request.output.as_ref().map(|output| Form::of(output, formed));
    let mut body = json!({
        "model": model,
        "max_tokens": request.max_output_tokens,
        "messages": turns(request),
        "stream": true,
    });
    let words = form.as_ref().and_then(|form| form.words.clone());
    let system = request.messages.iter().filter_map(|message| match message {
        Message::System { text } => Some(text.clone()),
        Message::User { .. } | Message::Assistant { .. } | Message::Tool { .. } => None,
    });
    let system: Vec<String> = system.chain(words).filter(|text| !text.trim().is_empty()).collect();
    if !system.is_empty() {
        body["system"] = json!([{"type": "text", "text": system.join("\n\n")}]);
    }
    if let Some(thousandths) = request.temperature {
        // The API's scale ends at 1.
        body["temperature"] = (f64::from(thousandths.min(1_000)) / 1_000.0).into();
    }
    offer(request, &mut body);
    if let Some(schema) = form.and_then(|form| form.schema) {
        body["output_config"] = json!({"format": {"type": "json_schema", "schema": schema}});
    }
    keep(request, &mut body);
    body
}

/// How the form of an answer is requested.
struct Form {
    schema: Option<Json>,
    words: Option<String>,
}

impl Form {
    fn of(OutputFormat { schema, .. }: &OutputFormat, formed: bool) -> Self {
        let closed = if formed { schema::closed(schema) } else { None };
        let exact = closed.as_ref().is_some_and(|closed| closed.exact);
        let words = (!exact).then(|| schema::in_words(schema));
        Self { schema: closed.map(|closed| closed.schema), words }
    }
}

/// Adds the offered tools. The API rejects a conversation with calls but without tools, so earlier calls are declared
/// as tools and may not be called.
fn offer(request: &ModelRequest, body: &mut Value) {
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            let (description, schema) = schema::arguments(&tool.description, &tool.schema);
            json!({"name": tool.name, "description": description, "input_schema": schema})
        });
        body["tools"] = tools.collect();
        return;
    }
    let called = request.messages.iter().flat_map(|message| match message {
        Message::Assistant { calls, .. } => calls.as_slice(),
        Message::System { .. } | Message::User { .. } | Message::Tool { .. } => &[],
    });
    let names: BTreeSet<String> = called.map(|call| fit(&call.name)).collect();
    if !names.is_empty() {
        let tools = names.into_iter().map(|name| json!({"name": name, "input_schema": {"type": "object"}}));
        body["tools"] = tools.collect();
        body["tool_choice"] = json!({"type": "none"});
    }
}

/// Marks what the provider shall cache: the common prefix of an agent's requests and, if the conversation may continue,
/// everything so far. The previous turn is marked too, because the provider looks back over twenty blocks only
/// (<https://platform.claude.com/docs/en/build-with-claude/prompt-caching>).
fn keep(request: &ModelRequest, body: &mut Value) {
    fn mark(block: Option<&mut Value>) {
        if let Some(block) = block {
            block["cache_control"] = json!({"type": "ephemeral"});
        }
    }
    // The API places tools before the instructions.
    let first = if body.get("system").is_some() { "system" } else { "tools" };
    mark(body.get_mut(first).and_then(Value::as_array_mut).and_then(|blocks| blocks.last_mut()));
    if request.tools.is_empty() {
        return;
    }
    let turns = body.get_mut("messages").and_then(Value::as_array_mut).into_iter().flatten();
    for turn in turns.rev().filter(|turn| turn["role"] == "user").take(2) {
        mark(turn.get_mut("content").and_then(Value::as_array_mut).and_then(|blocks| blocks.last_mut()));
    }
}

/// Turns alternate, so consecutive messages of one side are merged into one turn.
fn turns(request: &ModelRequest) -> Vec<Value> {
    let (mut turns, mut ids): (Vec<(&str, Vec<Value>)>, _) = (Vec::new(), CallIds::new(is_plain_id));
    for message in &request.messages {
        let (role, mut blocks) = match message {
            Message::System { .. } => continue,
            Message::User { text } => ("user", words(text).into_iter().collect()),
            Message::Assistant { text, calls, by, carry } => {
                let ids = ids.of(calls, same_provider(by, &request.model));
                let calls: Vec<_> = calls.iter().zip(&ids).map(|(call, id)| called(call, id)).collect();
                let order = carry.as_ref().filter(|_| *by == request.model).and_then(|carry| carry.get("order"));
                let woven = order.and_then(Json::as_array).and_then(|order| woven(order, text, &calls));
                ("assistant", woven.unwrap_or_else(|| words(text).into_iter().chain(calls).collect()))
            }
            Message::Tool { call, text, failed } => {
                let id = ids.answered(call);
                ("user", vec![json!({"type": "tool_result", "tool_use_id": id, "content": text, "is_error": failed})])
            }
        };
        match turns.last_mut() {
            Some((last, earlier)) if *last == role => earlier.append(&mut blocks),
            _ => turns.push((role, blocks)),
        }
    }
    turns.retain(|(_, blocks)| !blocks.is_empty());
    turns.into_iter().map(|(role, content)| json!({"role": role, "content": content})).collect()
}

/// A text block; `None` for blank text, which the API rejects.
fn words(text: &str) -> Option<Value> {
    (!text.trim().is_empty()).then(|| json!({"type": "text", "text": text}))
}

fn called(call: &ToolCall, id: &str) -> Value {
    let input = match &call.arguments {
        object @ Json::Object(_) => json!(object),
        // The API accepts objects only; other arguments are shown to the model as it wrote them.
        other => json!({"arguments": other}),
    };
    json!({"type": "tool_use", "id": id, "name": fit(&call.name), "input": input})
}

/// The blocks of an answer in order: each part is a thinking block, `{"said": bytes}` or `{"call": number}`.
fn woven(order: &[Json], text: &str, calls: &[Value]) -> Option<Vec<Value>> {
    let (mut rest, mut left, mut blocks) = (text, calls.iter(), Vec::new());
    for part in order {
        if part.get("call").is_some() {
            blocks.push(left.next()?.clone());
        } else if let Some(bytes) = part.get("said") {
            let bytes: usize = serde_json::from_value(json!(bytes)).ok()?;
            let (said, after) = rest.split_at_checked(bytes)?;
            rest = after;
            blocks.extend(words(said));
        } else {
            blocks.push(json!(part));
        }
    }
    (rest.is_empty() && left.next().is_none()).then_some(blocks)
}
