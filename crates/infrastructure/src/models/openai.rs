//! Chat completions as OpenAI defined them and as gateways and local servers understand them.

use devskyy_application::models::{Deltas, ModelError, ModelRequest};
use devskyy_domain::{
    conversation::{Finish, Message, ToolCall, Usage},
    kernel::Json,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    endpoint::Endpoint,
    failure::{Fault, unavailable},
    provider::{Reading, Reply, arguments},
    sse::Event,
};

/// The limit of an answer as OpenAI's reasoning models want it.
pub(super) const NEWER_LIMIT: &str = "max_completion_tokens";
/// The limit of an answer as everybody else knows it; some local servers ignore the newer name without a word.
const LIMIT: &str = "max_tokens";

/// What the limit of an answer is called at an address.
pub(super) fn limit_for(base_url: &str) -> &'static str {
    let host = base_url.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next()).unwrap_or_default();
    if host == "api.openai.com" || host.ends_with(".openai.azure.com") { NEWER_LIMIT } else { LIMIT }
}

/// A question in the protocol's words.
pub(super) fn question(request: &ModelRequest, model: &str, limit: &str) -> Value {
    let mut body = json!({
        "model": model,
        "messages": request.messages.iter().map(message).collect::<Vec<_>>(),
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    body[limit] = request.max_output_tokens.into();
    if let Some(thousandths) = request.temperature {
        body["temperature"] = (f64::from(thousandths) / 1_000.0).into();
    }
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            let function = json!({"name": tool.name, "description": tool.description, "parameters": tool.schema});
            json!({"type": "function", "function": function})
        });
        body["tools"] = tools.collect();
    }
    if let Some(output) = &request.output {
        let schema = json!({"name": output.name, "schema": output.schema, "strict": is_strict(&output.schema)});
        body["response_format"] = json!({"type": "json_schema", "json_schema": schema});
    }
    body
}

fn message(message: &Message) -> Value {
    match message {
        Message::System { text } => json!({"role": "system", "content": text}),
        Message::User { text } => json!({"role": "user", "content": text}),
        Message::Assistant { text, calls } if calls.is_empty() => json!({"role": "assistant", "content": text}),
        Message::Assistant { text, calls } => {
            let content = if text.is_empty() { Value::Null } else { Value::from(text.as_str()) };
            json!({"role": "assistant", "content": content, "tool_calls": calls.iter().map(call).collect::<Vec<_>>()})
        }
        Message::Tool { call, text, failed: _ } => json!({"role": "tool", "tool_call_id": call, "content": text}),
    }
}

fn call(call: &ToolCall) -> Value {
    let arguments = match &call.arguments {
        Json::String(text) => text.clone(),
        document => json!(document).to_string(),
    };
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}})
}

/// Whether the protocol's strict mode takes a schema: every object closed, every member required. Others are asked for
/// without it, because strict mode refuses them.
fn is_strict(schema: &Json) -> bool {
    let Some(members) = schema.as_object() else { return true };
    let below = |name: &str| match members.get(name) {
        Some(Json::Object(children)) => children.values().all(is_strict),
        Some(Json::Array(children)) => children.iter().all(is_strict),
        Some(_) | None => true,
    };
    let object = members.get("type").and_then(Json::as_str) == Some("object") || members.contains_key("properties");
    let closed = members.get("additionalProperties") == Some(&Json::from(false));
    let required = members.get("required").and_then(Json::as_array).unwrap_or_default();
    let all = members.get("properties").and_then(Json::as_object).is_none_or(|properties| {
        properties.keys().all(|name| required.iter().any(|wanted| wanted.as_str() == Some(name)))
    });
    (!object || (closed && all))
        && ["properties", "$defs", "anyOf"].into_iter().all(below)
        && members.get("items").is_none_or(is_strict)
}

/// An answer while it comes in.
#[derive(Default)]
pub(super) struct Answer {
    reply: Reply,
    calls: Vec<Pieces>,
    refusal: bool,
}

#[derive(Default)]
struct Pieces {
    index: Option<usize>,
    id: String,
    name: String,
    arguments: String,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    model: Option<String>,
    usage: Option<Billed>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<CallDelta>>,
}

#[derive(Deserialize)]
struct CallDelta {
    index: Option<usize>,
    id: Option<String>,
    function: Option<FunctionDelta>,
}

#[derive(Deserialize)]
struct FunctionDelta {
    name: Option<String>,
    arguments: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Billed {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

impl Billed {
    /// No token in two classes: the details are part of the sums. Some providers count reasoning beside the completion
    /// instead, which their total gives away.
    fn by_class(self) -> Usage {
        let prompt = self.prompt_tokens_details.unwrap_or_default();
        let (read, write) = (prompt.cached_tokens.unwrap_or(0), prompt.cache_write_tokens.unwrap_or(0));
        let reasoning = self.completion_tokens_details.and_then(|it| it.reasoning_tokens).unwrap_or(0);
        // Whatever a provider claims is added up here.
        let together = self.prompt_tokens.saturating_add(self.completion_tokens).saturating_add(reasoning);
        let beside = reasoning > 0 && self.total_tokens == together;
        Usage {
            input: self.prompt_tokens.saturating_sub(read).saturating_sub(write),
            output: if beside { self.completion_tokens } else { self.completion_tokens.saturating_sub(reasoning) },
            cache_read: read,
            cache_write: write,
            reasoning,
        }
    }
}

impl Answer {
    fn call_for(&mut self, delta: &CallDelta) -> &mut Pieces {
        let id = delta.id.as_deref().filter(|id| !id.is_empty());
        let continues = |pieces: &Pieces| id.is_none_or(|id| pieces.id.is_empty() || pieces.id == id);
        let at = match delta.index {
            Some(index) => self.calls.iter().rposition(|pieces| pieces.index == Some(index) && continues(pieces)),
            None => self.calls.len().checked_sub(1).filter(|last| self.calls.get(*last).is_some_and(continues)),
        };
        let at = at.unwrap_or_else(|| {
            self.calls.push(Pieces { index: delta.index, ..Pieces::default() });
            self.calls.len() - 1
        });
        &mut self.calls[at]
    }

    fn take_call(&mut self, delta: CallDelta) {
        let pieces = self.call_for(&delta);
        if pieces.id.is_empty() {
            pieces.id = delta.id.unwrap_or_default();
        }
        let Some(function) = delta.function else { return };
        if pieces.name.is_empty() {
            pieces.name = function.name.unwrap_or_default();
        }
        pieces.arguments.push_str(&function.arguments.unwrap_or_default());
    }

    fn take_choice(&mut self, choice: Choice, deltas: &dyn Deltas) {
        self.refusal |= choice.delta.refusal.is_some();
        for piece in [choice.delta.content, choice.delta.refusal].into_iter().flatten().filter(|it| !it.is_empty()) {
            self.reply.text.push_str(&piece);
            deltas.text(&piece);
        }
        choice.delta.tool_calls.into_iter().flatten().for_each(|call| self.take_call(call));
        if let Some(reason) = choice.finish_reason {
            self.reply.finish = Some(match reason.as_str() {
                "length" => Finish::Length,
                "content_filter" => Finish::Refused,
                // Some servers say that they stopped where they mean that they wait.
                _ if !self.calls.is_empty() => Finish::ToolCalls,
                _ if self.refusal => Finish::Refused,
                _ => Finish::Stop,
            });
        }
    }
}

impl Reading for Answer {
    fn take(&mut self, event: &Event, endpoint: &Endpoint, deltas: &dyn Deltas) -> Result<bool, ModelError> {
        if event.data.trim() == "[DONE]" {
            return Ok(true);
        }
        let chunk: Chunk = serde_json::from_str(&event.data).map_err(|_| unavailable("its answer makes no sense"))?;
        if chunk.error.is_some() {
            return Err(Fault::read(event.data.as_bytes()).in_stream(endpoint));
        }
        if let Some(model) = chunk.model.filter(|model| !model.is_empty()) {
            self.reply.model = model;
        }
        if let Some(usage) = chunk.usage {
            self.reply.usage = usage.by_class();
        }
        chunk.choices.into_iter().for_each(|choice| self.take_choice(choice, deltas));
        Ok(false)
    }

    fn answer(self: Box<Self>) -> Option<Reply> {
        let Self { reply, calls, .. } = *self;
        let calls = calls.into_iter().enumerate().map(|(at, pieces)| {
            let id = if pieces.id.is_empty() { format!("call_{at}") } else { pieces.id };
            ToolCall { id, name: pieces.name, arguments: arguments(&pieces.arguments) }
        });
        Some(Reply { calls: calls.collect(), ..reply })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_beyond_all_numbers_is_taken_as_it_is() {
        let reasoning = Some(CompletionDetails { reasoning_tokens: Some(2) });
        let (prompt_tokens, completion_tokens) = (u64::MAX, 3);
        let claimed = Billed {
            prompt_tokens,
            completion_tokens,
            total_tokens: 5,
            prompt_tokens_details: None,
            completion_tokens_details: reasoning,
        };
        let read = Usage { input: u64::MAX, output: 1, reasoning: 2, ..Usage::default() };
        assert_eq!(claimed.by_class(), read);
    }
}
