use serde::{Deserialize, Serialize};

use crate::{
    kernel::{Json, ids::AgentId},
    workflow::{Approval, Builtin, Effect, HttpRequest, McpServer, Tool},
};

/// A tool that a model may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum AssistantTool {
    /// A pure tool of the platform.
    Builtin {
        /// The tool.
        builtin: Builtin,
        /// What it does and when to use it, for the model.
        description: String,
        /// JSON Schema of its arguments.
        input_schema: Json,
        /// Whether a call needs approval.
        #[serde(default, skip_serializing_if = "Approval::is_never")]
        approval: Approval,
    },
    /// One templated HTTP request.
    Http {
        /// Whether the call may be repeated.
        effect: Effect,
        /// What it does and when to use it, for the model.
        description: String,
        /// JSON Schema of its arguments.
        input_schema: Json,
        /// Whether a call needs approval.
        #[serde(default, skip_serializing_if = "Approval::is_never")]
        approval: Approval,
        /// The request.
        request: HttpRequest,
    },
    /// A tool of a Model Context Protocol server.
    Mcp {
        /// Whether the call may be repeated; the server's own annotation is ignored.
        effect: Effect,
        /// What it does and when to use it, for the model; by default the server's description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// JSON Schema of its arguments; by default the server's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input_schema: Option<Json>,
        /// Whether a call needs approval.
        #[serde(default, skip_serializing_if = "Approval::is_never")]
        approval: Approval,
        /// The server and its tool.
        server: McpServer,
    },
    /// Runs another agent of the same project with the arguments as input and waits for its output.
    Agent {
        /// The agent's id.
        agent: AgentId,
        /// What it does and when to use it, for the model.
        description: String,
        /// JSON Schema of its arguments, which become the agent's input.
        input_schema: Json,
        /// Whether a call needs approval.
        #[serde(default, skip_serializing_if = "Approval::is_never")]
        approval: Approval,
    },
}

impl AssistantTool {
    /// The values of `kind`.
    pub const KINDS: [&str; 4] = ["builtin", "http", "mcp", "agent"];

    /// What it does and when to use it, for the model.
    #[must_use]
    pub fn description(&self) -> &str {
        match self {
            Self::Builtin { description, .. } | Self::Http { description, .. } | Self::Agent { description, .. } => {
                description
            }
            Self::Mcp { description, .. } => description.as_deref().unwrap_or_default(),
        }
    }

    /// JSON Schema of its arguments.
    #[must_use]
    pub const fn input_schema(&self) -> &Json {
        match self {
            Self::Builtin { input_schema, .. } | Self::Http { input_schema, .. } | Self::Agent { input_schema, .. } => {
                input_schema
            }
            Self::Mcp { input_schema: Some(input_schema), .. } => input_schema,
            Self::Mcp { input_schema: None, .. } => &Json::Null,
        }
    }

    /// Whether a call needs approval.
    #[must_use]
    pub const fn approval(&self) -> &Approval {
        match self {
            Self::Builtin { approval, .. }
            | Self::Http { approval, .. }
            | Self::Mcp { approval, .. }
            | Self::Agent { approval, .. } => approval,
        }
    }

    /// The tool in the form used by workflows; `None` for an agent.
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
            Self::Mcp { effect, server, .. } => Some(Tool::Mcp {
                effect: *effect,
                input_schema: None,
                approval: Approval::Never,
                server: server.clone(),
            }),
            Self::Agent { .. } => None,
        }
    }
}
