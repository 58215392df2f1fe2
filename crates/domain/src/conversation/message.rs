use serde::{Deserialize, Serialize};

use crate::kernel::Json;

/// One entry of a conversation with a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    /// The system prompt.
    System {
        /// The text.
        text: String,
    },
    /// A message to the model.
    User {
        /// The text.
        text: String,
    },
    /// An answer of the model: a text, tool calls or both.
    Assistant {
        /// The text; empty if it only calls tools.
        text: String,
        /// The calls it requests, in its order.
        calls: Vec<ToolCall>,
        /// The model that answered: `<provider>/<model>`, as it was called.
        by: String,
        /// Data that its provider expects back verbatim.
        carry: Option<Json>,
    },
    /// The result of a tool call.
    Tool {
        /// The id of that call.
        call: String,
        /// The result or the error, as text.
        text: String,
        /// Whether the call failed.
        failed: bool,
    },
}

/// A tool call that a model requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The model's own id of the call, to match the result.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments; a string if the model's text was not JSON.
    pub arguments: Json,
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The answer is complete.
    Stop,
    /// It waits for the results of its tool calls.
    ToolCalls,
    /// It reached the limit of the answer or of its context window.
    Length,
    /// The model, or a filter in front of it, refused.
    Refused,
}
