//! The definition of an agent's version, whatever its type.

mod offer;

pub use offer::{Callable, Offer};
use serde::{Deserialize, Serialize};

use crate::{
    assistant::Assistant,
    kernel::Json,
    workflow::{Backoff, Sent, Workflow},
};

/// The definition of an agent's version, shared by agents, which publish it, and runs, which execute it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Definition {
    /// A declared graph of steps.
    Workflow(Workflow),
    /// A model in a loop with tools.
    Assistant(Box<Assistant>),
}

impl Definition {
    /// JSON Schema of the input; any input is accepted without one.
    #[must_use]
    pub const fn input_schema(&self) -> Option<&Json> {
        match self {
            Self::Workflow(workflow) => workflow.input_schema.as_ref(),
            Self::Assistant(assistant) => assistant.input_schema.as_ref(),
        }
    }

    /// JSON Schema of the output; any output is accepted without one.
    #[must_use]
    pub const fn output_schema(&self) -> Option<&Json> {
        match self {
            Self::Workflow(workflow) => workflow.output_schema.as_ref(),
            Self::Assistant(assistant) => assistant.output_schema.as_ref(),
        }
    }

    /// The requests that its tools send.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent<'_>> {
        match self {
            Self::Workflow(workflow) => workflow.sent(),
            Self::Assistant(assistant) => assistant.sent(),
        }
    }

    /// How failed calls are retried.
    #[must_use]
    pub const fn retry(&self) -> &Backoff {
        match self {
            Self::Workflow(workflow) => &workflow.retry,
            Self::Assistant(assistant) => &assistant.retry,
        }
    }

    /// Seconds after which an approval expires and counts as denied; `None` if never.
    #[must_use]
    pub const fn approval_expires_s(&self) -> Option<u32> {
        match self {
            Self::Workflow(workflow) => workflow.approval_expires_s,
            Self::Assistant(assistant) => assistant.approval_expires_s,
        }
    }

    /// Seconds from a run's start to its end, including waiting.
    #[must_use]
    pub const fn wall_clock_s(&self) -> u32 {
        match self {
            Self::Workflow(workflow) => workflow.limits.wall_clock_s,
            Self::Assistant(assistant) => assistant.limits.wall_clock_s,
        }
    }
}

impl From<Workflow> for Definition {
    fn from(workflow: Workflow) -> Self {
        Self::Workflow(workflow)
    }
}

impl From<Assistant> for Definition {
    fn from(assistant: Assistant) -> Self {
        Self::Assistant(Box::new(assistant))
    }
}
