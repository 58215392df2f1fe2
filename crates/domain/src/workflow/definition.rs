use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{mcp::McpServer, wire::WrittenStep};
use crate::kernel::{Json, ids::AgentId};

/// The name of a step, unique in its workflow: a lower-case letter, then up to 63 of `a-z 0-9 _`.
pub type StepId = String;

/// A declared graph of steps.
///
/// In computed values, an object with the single member `$jq` holds a jq program, and one with the single member
/// `$template` a template. Both see `{input, steps: {<id>: {status, output}}, item, index, run: {id}}`, where `steps`
/// contains only the steps that the step needs, directly or indirectly. So the context of a step never depends on
/// timing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    /// JSON Schema of the input; any input is accepted without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Json>,
    /// JSON Schema of the output; any output is accepted without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Json>,
    /// Tools its steps may call, by name, besides the builtin ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, Tool>,
    /// The steps; the order is defined by `needs`, not by their position.
    pub steps: Vec<Step>,
    /// The output, computed when every step is settled; `null` by default.
    #[serde(default)]
    pub output: Json,
    /// The limits at which a run is ended.
    #[serde(default)]
    pub limits: Limits,
    /// How failed calls are retried.
    #[serde(default)]
    pub retry: Backoff,
    /// Seconds after which an approval expires and counts as denied; `None` if never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_expires_s: Option<u32>,
}

/// One step. Its JSON is flat: `tool` with `arguments`, `agent` with `input`, or `approval`, and the members below.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenStep", into = "WrittenStep")]
pub struct Step {
    /// Its name.
    pub id: StepId,
    /// Steps that must be settled (succeeded or skipped) first.
    pub needs: Vec<StepId>,
    /// jq condition; the step is skipped if the result is `false` or `null`.
    pub when: Option<String>,
    /// jq program that returns an array; the step runs once per element (`item`, `index`), and its output is the array
    /// of outputs.
    pub for_each: Option<String>,
    /// Its action.
    pub action: Action,
}

/// The action of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Calls a tool of the workflow or a builtin one.
    Tool {
        /// Its name: a key of [`Workflow::tools`], or `parse`, `jq`, `template`.
        name: String,
        /// The arguments, computed.
        arguments: Json,
    },
    /// Runs another agent of the same project and waits for its output.
    Agent {
        /// The agent's id.
        agent: AgentId,
        /// Its input, computed.
        input: Json,
    },
    /// Asks a person and waits; its output is `{decision, reason, decided_by}`.
    Approval {
        /// Template of the question.
        prompt: String,
        /// Additional data for the person, computed.
        data: Json,
        /// What a denial means.
        on_deny: Denial,
    },
}

/// The effect of a denied approval on the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    /// The run fails.
    #[default]
    Fail,
    /// The run continues; later steps can check the decision.
    Continue,
}

impl Denial {
    /// All variants.
    pub const ALL: [Self; 2] = [Self::Fail, Self::Continue];
}

/// Whether a call may be repeated when its outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Changes nothing; may be repeated.
    ReadOnly,
    /// The server recognises the operation id; may be repeated.
    Idempotent,
    /// Must never be repeated blindly.
    Unsafe,
}

impl Effect {
    /// All variants.
    pub const ALL: [Self; 3] = [Self::ReadOnly, Self::Idempotent, Self::Unsafe];
}

/// A tool that a step may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Tool {
    /// A pure tool of the platform.
    Builtin {
        /// The tool.
        builtin: Builtin,
    },
    /// One templated HTTP request.
    Http {
        /// Whether the call may be repeated.
        effect: Effect,
        /// JSON Schema of its arguments; any arguments are accepted without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input_schema: Option<Json>,
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
        /// JSON Schema of its arguments: as written, or as the server returned it when the version was published.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input_schema: Option<Json>,
        /// Whether a call needs approval.
        #[serde(default, skip_serializing_if = "Approval::is_never")]
        approval: Approval,
        /// The server and its tool.
        server: McpServer,
    },
}

/// Whether a call needs a person's approval.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Approval {
    /// No approval is needed.
    #[default]
    Never,
    /// Every call needs approval.
    Always,
    /// Calls for whose arguments this jq condition returns anything but `false` and `null` need approval.
    When(String),
}

impl Approval {
    /// Whether no call ever needs approval.
    #[must_use]
    pub const fn is_never(&self) -> bool {
        matches!(self, Self::Never)
    }
}

/// The pure tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Builtin {
    /// `{format: json|toml|yaml|csv, text}` → the document; CSV becomes an array of objects named by its header row.
    Parse,
    /// `{program, input}` → its only result.
    Jq,
    /// `{template, context}` → text.
    Template,
}

/// A templated HTTP request; templates see `{arguments, operation_id, run: {id}}`… of the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpRequest {
    /// Method.
    pub method: HttpMethod,
    /// Template of the URL; inserted values are percent-encoded.
    pub url: String,
    /// Templates of headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Whether the arguments are sent as a JSON body.
    #[serde(default)]
    pub send_arguments: bool,
    /// The body to send instead of the arguments, computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Json>,
    /// Whether the members of the body are sent as form fields instead of JSON.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub form: bool,
    /// Timeout in seconds, 1–300.
    #[serde(default = "default_timeout")]
    pub timeout_s: u32,
}

pub(super) const fn default_timeout() -> u32 {
    30
}

/// HTTP methods a tool may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// Read.
    Get,
    /// Create or act.
    Post,
    /// Replace.
    Put,
    /// Change.
    Patch,
    /// Remove.
    Delete,
}

impl HttpMethod {
    /// Every method.
    pub const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];
}

impl Workflow {
    /// The tool a step names: one of the workflow's own, or a builtin one.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<Tool> {
        let builtin = || Builtin::named(name).map(|builtin| Tool::Builtin { builtin });
        self.tools.get(name).cloned().or_else(builtin)
    }

    /// The step with that name.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Names of the steps a step needs, directly or indirectly.
    #[must_use]
    pub fn ancestors(&self, id: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&Step> = self.step(id).into_iter().collect();
        while let Some(step) = open.pop() {
            for need in &step.needs {
                if found.insert(need.as_str()) {
                    open.extend(self.step(need));
                }
            }
        }
        found
    }
}

impl Builtin {
    /// All variants.
    pub const ALL: [Self; 3] = [Self::Parse, Self::Jq, Self::Template];

    /// The builtin tool with that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "parse" => Some(Self::Parse),
            "jq" => Some(Self::Jq),
            "template" => Some(Self::Template),
            _ => None,
        }
    }
}

impl Tool {
    /// The values of `kind`.
    pub const KINDS: [&str; 3] = ["builtin", "http", "mcp"];

    /// Whether a call of it may be repeated when its outcome is unknown.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        match self {
            Self::Builtin { .. } => Effect::ReadOnly,
            Self::Http { effect, .. } | Self::Mcp { effect, .. } => *effect,
        }
    }
}

/// The limits at which a run is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Calls, approvals and skips together; 1–10,000.
    pub max_steps: u32,
    /// Seconds from start to end, including waiting; 1–2,592,000 (30 days).
    pub wall_clock_s: u32,
    /// Calls in progress at once; 1–64.
    pub concurrency: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_steps: 1_000, wall_clock_s: 86_400, concurrency: 8 }
    }
}

/// How failed calls are retried: exponential backoff with jitter within the run's deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backoff {
    /// Maximum number of attempts; 1–20.
    pub max_attempts: u32,
    /// Milliseconds before the second attempt.
    pub initial_ms: u32,
    /// Maximum milliseconds between two attempts.
    pub max_ms: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { max_attempts: 4, initial_ms: 500, max_ms: 30_000 }
    }
}
