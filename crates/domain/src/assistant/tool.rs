use serde::{Deserialize, Serialize};

use crate::{
    kernel::{Json, ids::AgentId},
    workflow::{Approval, Builtin, Effect, HttpRequest, Tool},
};

/// Something a model may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum AssistantTool {
    /// Comes with the platform, pure.
    Builtin {
        /// Which one.
        builtin: Builtin,
        /// What it does and when to use it, for the model.
        description: String,
        /// JSON Schema of its arguments.
        input_schema: Json,
        /// Whether a person is asked before.
        #[serde(default, skip_serializing_if = "Approval::is_never")]
        approval: Approval,
    },
    /// One templated HTTP request.
    Http {
        /// Whether it may be repeated.
        effect: Effect,
        /// What it does and when to use it, for the model.
        description: String,
        /// JSON Schema of its arguments.
        input_schema: Json,
        /// Whether a person is asked before.
        #[serde(default, skip_serializing_if = "Approval::is_never")]
        approval: Approval,
        /// The request.
        request: HttpRequest,
    },
    /// Runs another agent of the same project on the arguments and waits for its output.
    Agent {
        /// Which agent, by id.
        agent: AgentId,
        /// What it does and when to use it, for the model.
        description: String,
        /// JSON Schema of its arguments, which become the other agent's input.
        input_schema: Json,
        /// Whether a person is asked before.
        #[serde(default, skip_serializing_if = "Approval::is_never")]
        approval: Approval,
    },
}

impl AssistantTool {
    /// What it does and when to use it, for the model.
    #[must_use]
    pub fn description(&self) -> &str {
        match self {
            Self::Builtin { description, .. } | Self::Http { description, .. } | Self::Agent { description, .. } => {
                description
            }
        }
    }

    /// JSON Schema of its arguments.
    #[must_use]
    pub const fn input_schema(&self) -> &Json {
        match self {
            Self::Builtin { input_schema, .. } | Self::Http { input_schema, .. } | Self::Agent { input_schema, .. } => {
                input_schema
            }
        }
    }

    /// Whether a person is asked before a call.
    #[must_use]
    pub const fn approval(&self) -> &Approval {
        match self {
            Self::Builtin { approval, .. } | Self::Http { approval, .. } | Self::Agent { approval, .. } => approval,
        }
    }

    /// The tool as workflows call it; an agent is run instead.
    #[must_use]
    pub fn callable(&self) -> Option<Tool> {
        match self {
            Self::Builtin { builtin, .. } => Some(Tool::Builtin { builtin: *builtin }),
            Self::Http { effect, request, .. } => Some(Tool::Http {
                effect: *effect,
                input_schema: None,
                approval: Approval::Never,
                request: request.clone(),
            }),
            Self::Agent { .. } => None,
        }
    }
}
