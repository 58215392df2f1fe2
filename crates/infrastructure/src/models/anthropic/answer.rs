use std::collections::BTreeMap;

use devskyy_application::models::{Deltas, ModelError};
use devskyy_domain::{
    conversation::{TokenCount, ToolCall},
    kernel::Json,
};
use serde::Deserialize;

use super::super::{
    endpoint::Endpoint,
    failure::{Fault, unavailable},
    provider::{Reading, Reply, arguments, stopped},
    sse::Event,
};

/// An answer that is being streamed.
#[derive(Default)]
pub(in super::super) struct Answer {
    reply: Reply,
    parts: BTreeMap<u64, Part>,
    billed: Billed,
    stopped: bool,
}

/// A content block of an answer.
enum Part {
    /// Text of this many bytes.
    Said(usize),
    /// A tool call.
    Call(Pieces),
    /// A thinking block, which has to be sent back unchanged.
    Thought { thinking: String, signature: String },
    /// A redacted thinking block, readable by the provider only.
    Sealed(String),
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
    Thinking {
        #[serde(default)]
        thinking: String,
        #[serde(default)]
        signature: String,
    },
    RedactedThinking {
        data: String,
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
    ThinkingDelta {
        thinking: String,
    },
    SignatureDelta {
        signature: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Closing {
    stop_reason: Option<String>,
}

/// Cumulative usage; later values replace earlier ones.
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

    /// Counts each token in one class. The API reports input without the cache, but output with the thinking.
    fn by_class(&self) -> TokenCount {
        let reasoning = self.output_tokens_details.as_ref().map_or(0, |details| details.thinking_tokens);
        TokenCount {
            input: self.input_tokens.unwrap_or(0),
            output: self.output_tokens.unwrap_or(0).saturating_sub(reasoning),
            cache_read: self.cache_read_input_tokens.unwrap_or(0),
            cache_write: self.cache_creation_input_tokens.unwrap_or(0),
            reasoning,
        }
    }
}

impl Answer {
    fn say(&mut self, index: u64, piece: &str, deltas: &dyn Deltas) {
        if piece.is_empty() {
            return;
        }
        self.reply.text.push_str(piece);
        deltas.text(piece);
        if let Part::Said(bytes) = self.parts.entry(index).or_insert(Part::Said(0)) {
            *bytes += piece.len();
        }
    }

    fn begin(&mut self, index: u64, block: Block, deltas: &dyn Deltas) {
        let part = match block {
            Block::Text { text } => return self.say(index, &text, deltas),
            Block::ToolUse { id, name, input } => {
                Part::Call(Pieces { id, name, begun: input, arguments: String::new() })
            }
            Block::Thinking { thinking, signature } => Part::Thought { thinking, signature },
            Block::RedactedThinking { data } => Part::Sealed(data),
            Block::Other => return,
        };
        self.parts.insert(index, part);
    }

    fn go_on(&mut self, index: u64, piece: &Piece, deltas: &dyn Deltas) {
        match (piece, self.parts.get_mut(&index)) {
            (Piece::TextDelta { text }, _) => self.say(index, text, deltas),
            (Piece::InputJsonDelta { partial_json }, Some(Part::Call(pieces))) => {
                pieces.arguments.push_str(partial_json);
            }
            (Piece::ThinkingDelta { thinking: more }, Some(Part::Thought { thinking, .. })) => thinking.push_str(more),
            (Piece::SignatureDelta { signature: more }, Some(Part::Thought { signature, .. })) => {
                signature.push_str(more);
            }
            _ => {}
        }
    }
}

impl Part {
    /// Its place in the data the provider wants back.
    fn carried(&self, call: &mut i64) -> Json {
        let block = |members: &[(&str, &str)]| -> Json {
            members.iter().map(|(name, text)| ((*name).to_owned(), Json::from(*text))).collect()
        };
        let number = |name: &str, number: i64| -> Json { [(name.to_owned(), number.into())].into_iter().collect() };
        match self {
            Self::Said(bytes) => number("said", i64::try_from(*bytes).unwrap_or(i64::MAX)),
            Self::Call(_) => {
                *call += 1;
                number("call", *call - 1)
            }
            Self::Thought { thinking, signature } => {
                block(&[("type", "thinking"), ("thinking", thinking), ("signature", signature)])
            }
            Self::Sealed(data) => block(&[("type", "redacted_thinking"), ("data", data)]),
        }
    }
}

impl Pieces {
    fn whole(self) -> ToolCall {
        let Self { id, name, begun, arguments: text } = self;
        let whole = if text.is_empty() && !begun.is_null() { begun } else { arguments(&text) };
        ToolCall { id, name, arguments: whole }
    }
}

/// The data the provider wants back with an answer that requests calls: the thinking blocks and their places.
fn carry(parts: &BTreeMap<u64, Part>) -> Option<Json> {
    let called = parts.values().any(|part| matches!(part, Part::Call(_)));
    let thought = parts.values().any(|part| matches!(part, Part::Thought { .. } | Part::Sealed(_)));
    if !called || !thought {
        return None;
    }
    let mut call = 0;
    let order = parts.values().map(|part| part.carried(&mut call)).collect();
    Some([("order".to_owned(), Json::Array(order))].into_iter().collect())
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
                if let Some(reason) = delta.stop_reason.filter(|reason| !reason.is_empty()) {
                    self.reply.finish = Some(stopped(&reason, endpoint)?);
                }
                self.billed.update(usage);
            }
            Streamed::MessageStop => self.stopped = true,
            Streamed::Error => return Err(Fault::read(event.data.as_bytes()).in_stream(endpoint)),
            Streamed::Other => {}
        }
        Ok(self.stopped)
    }

    fn answer(self: Box<Self>) -> Option<Reply> {
        let Self { reply, parts, billed, stopped } = *self;
        let carry = carry(&parts);
        let calls = parts.into_values().filter_map(|part| match part {
            Part::Call(pieces) => Some(pieces.whole()),
            Part::Said(_) | Part::Thought { .. } | Part::Sealed(_) => None,
        });
        let usage = billed.by_class();
        stopped.then(|| Reply { calls: calls.collect(), usage, carry, ..reply })
    }
}
