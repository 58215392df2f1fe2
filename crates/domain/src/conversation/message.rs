use serde::{Deserialize, Serialize};

use crate::kernel::Json;

/// One entry of a conversation with a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    /// What the model is to be and to keep to.
    System {
        /// In words.
        text: String,
    },
    /// What is asked of it.
    User {
        /// In words.
        text: String,
    },
    /// What it said, and which tools it wants called; one of both at least.
    Assistant {
        /// In words; empty where it only called tools.
        text: String,
        /// The calls it wants, in its order.
        calls: Vec<ToolCall>,
        /// Who said so: `<provider>/<model>`, as it was asked.
        by: String,
        /// What its provider wants back word for word, and nobody else understands.
        carry: Option<Json>,
    },
    /// What came of a call it wanted.
    Tool {
        /// The id of that call.
        call: String,
        /// The result as text, or what went wrong.
        text: String,
        /// Whether it went wrong.
        failed: bool,
    },
}

/// A call a model wants made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The model's own id of the call, by which it recognises the result.
    pub id: String,
    /// Which of the tools it was offered.
    pub name: String,
    /// With what; a text where the model wrote something that is not JSON.
    pub arguments: Json,
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It had said everything.
    Stop,
    /// It waits for the results of its calls.
    ToolCalls,
    /// It ran into the limit of its answer or its window.
    Length,
    /// It, or a filter before it, declined.
    Refused,
}
