//! Anthropic's Messages, version 2023-06-01.

use std::collections::BTreeMap;

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

/// A question in the protocol's words.
pub(super) fn question(request: &ModelRequest, model: &str) -> Value {
    let mut body = json!({
        "model": model,
        "max_tokens": request.max_output_tokens,
        "messages": turns(&request.messages),
        "stream": true,
    });
    let system: Vec<&str> = request
        .messages
        .iter()
        .filter_map(|message| match message {
            Message::System { text } => Some(text.as_str()),
            Message::User { .. } | Message::Assistant { .. } | Message::Tool { .. } => None,
        })
        .collect();
    if !system.is_empty() {
        body["system"] = system.join("\n\n").into();
    }
    if let Some(thousandths) = request.temperature {
        // The scale ends at 1 here.
        body["temperature"] = (f64::from(thousandths.min(1_000)) / 1_000.0).into();
    }
    if !request.tools.is_empty() {
        let tools = request
            .tools
            .iter()
            .map(|tool| json!({"name": tool.name, "description": tool.description, "input_schema": tool.schema}));
        body["tools"] = tools.collect();
    }
    if let Some(output) = &request.output {
        body["output_config"] = json!({"format": {"type": "json_schema", "schema": output.schema}});
    }
    body
}

/// Turns alternate: what one side says in a row is one turn.
fn turns(messages: &[Message]) -> Vec<Value> {
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in messages {
        let (role, mut blocks) = match message {
            Message::System { .. } => continue,
            Message::User { text } => ("user", vec![json!({"type": "text", "text": text})]),
            Message::Assistant { text, calls } => ("assistant", said(text, calls)),
            Message::Tool { call, text, failed } => {
                let result = json!({"type": "tool_result", "tool_use_id": call, "content": text, "is_error": failed});
                ("user", vec![result])
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

fn said(text: &str, calls: &[ToolCall]) -> Vec<Value> {
    let text = Some(text).filter(|text| !text.trim().is_empty()).map(|text| json!({"type": "text", "text": text}));
    let calls = calls.iter().map(|call| {
        let input = match &call.arguments {
            object @ Json::Object(_) => json!(object),
            // The protocol takes objects only; what was none is shown to the model as it wrote it.
            other => json!({"arguments": other}),
        };
        json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input})
    });
    text.into_iter().chain(calls).collect()
}

/// An answer while it comes in.
#[derive(Default)]
pub(super) struct Answer {
    reply: Reply,
    calls: BTreeMap<u64, Pieces>,
    billed: Billed,
    stopped: bool,
}

struct Pieces {
    id: String,
    name: String,
    begun: Json,
    arguments: String,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Streamed {
    MessageStart {
        message: Opening,
    },
    ContentBlockStart {
        index: u64,
        content_block: Block,
    },
    ContentBlockDelta {
        index: u64,
        delta: Piece,
    },
    MessageDelta {
        delta: Closing,
        #[serde(default)]
        usage: Billed,
    },
    MessageStop,
    Error,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Opening {
    #[serde(default)]
    model: String,
    #[serde(default)]
    usage: Billed,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        #[serde(default)]
        text: String,
    },
    ToolUse {
        id: String,
        name: String,
        #[serde(default)]
        input: Json,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Piece {
    TextDelta {
        text: String,
    },
    InputJsonDelta {
        partial_json: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Closing {
    stop_reason: Option<String>,
}

/// Running sums; a later one replaces an earlier one.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Billed {
    input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: u64,
}

impl Billed {
    fn update(&mut self, later: Self) {
        self.input_tokens = later.input_tokens.or(self.input_tokens);
        self.cache_creation_input_tokens = later.cache_creation_input_tokens.or(self.cache_creation_input_tokens);
        self.cache_read_input_tokens = later.cache_read_input_tokens.or(self.cache_read_input_tokens);
        self.output_tokens = later.output_tokens.or(self.output_tokens);
        self.output_tokens_details = later.output_tokens_details.or(self.output_tokens_details.take());
    }

    /// No token in two classes: the input is told without the cache, the output with the thinking.
    fn by_class(&self) -> Usage {
        let reasoning = self.output_tokens_details.as_ref().map_or(0, |details| details.thinking_tokens);
        Usage {
            input: self.input_tokens.unwrap_or(0),
            output: self.output_tokens.unwrap_or(0).saturating_sub(reasoning),
            cache_read: self.cache_read_input_tokens.unwrap_or(0),
            cache_write: self.cache_creation_input_tokens.unwrap_or(0),
            reasoning,
        }
    }
}

impl Answer {
    fn say(&mut self, piece: &str, deltas: &dyn Deltas) {
        if !piece.is_empty() {
            self.reply.text.push_str(piece);
            deltas.text(piece);
        }
    }

    fn begin(&mut self, index: u64, block: Block, deltas: &dyn Deltas) {
        match block {
            Block::Text { text } => self.say(&text, deltas),
            Block::ToolUse { id, name, input } => {
                self.calls.insert(index, Pieces { id, name, begun: input, arguments: String::new() });
            }
            Block::Other => {}
        }
    }

    fn go_on(&mut self, index: u64, piece: &Piece, deltas: &dyn Deltas) {
        match piece {
            Piece::TextDelta { text } => self.say(text, deltas),
            Piece::InputJsonDelta { partial_json } => {
                if let Some(pieces) = self.calls.get_mut(&index) {
                    pieces.arguments.push_str(partial_json);
                }
            }
            Piece::Other => {}
        }
    }
}

fn finish(reason: &str) -> Finish {
    match reason {
        "tool_use" => Finish::ToolCalls,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "refusal" => Finish::Refused,
        _ => Finish::Stop,
    }
}

impl Reading for Answer {
    fn take(&mut self, event: &Event, endpoint: &Endpoint, deltas: &dyn Deltas) -> Result<bool, ModelError> {
        let streamed = serde_json::from_str(&event.data).map_err(|_| unavailable("its answer makes no sense"))?;
        match streamed {
            Streamed::MessageStart { message } => {
                self.reply.model = message.model;
                self.billed.update(message.usage);
            }
            Streamed::ContentBlockStart { index, content_block } => self.begin(index, content_block, deltas),
            Streamed::ContentBlockDelta { index, delta } => self.go_on(index, &delta, deltas),
            Streamed::MessageDelta { delta, usage } => {
                self.reply.finish = delta.stop_reason.as_deref().map(finish).or(self.reply.finish);
                self.billed.update(usage);
            }
            Streamed::MessageStop => self.stopped = true,
            Streamed::Error => return Err(Fault::read(event.data.as_bytes()).in_stream(endpoint)),
            Streamed::Other => {}
        }
        Ok(self.stopped)
    }

    fn answer(self: Box<Self>) -> Option<Reply> {
        let Self { reply, calls, billed, stopped } = *self;
        let calls = calls.into_values().map(|pieces| {
            let whole = if pieces.arguments.is_empty() && !pieces.begun.is_null() {
                pieces.begun
            } else {
                arguments(&pieces.arguments)
            };
            ToolCall { id: pieces.id, name: pieces.name, arguments: whole }
        });
        let usage = billed.by_class();
        stopped.then(|| Reply { calls: calls.collect(), usage, ..reply })
    }
}
