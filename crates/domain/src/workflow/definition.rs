use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{mcp::McpServer, wire::WrittenStep};
use crate::kernel::{Json, ids::AgentId};

/// Names a step within its workflow: a lower-case letter, then up to 63 of `a-z 0-9 _`.
pub type StepId = String;

/// A declared graph of steps.
///
/// Wherever a value is computed, an object with the single member `$jq` holds a jq program and one with the single
/// member `$template` a template. Both see `{input, steps: {<id>: {status, output}}, item, index, run: {id}}`, where
/// `steps` holds what the step needs, directly or through others, and nothing else: what a step sees never depends on
/// which of its neighbours was faster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    /// JSON Schema of the input; anything goes without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Json>,
    /// JSON Schema of the output; anything goes without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Json>,
    /// Tools its steps may call, by name, beside the builtin ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, Tool>,
    /// The steps; order says nothing, `needs` does.
    pub steps: Vec<Step>,
    /// The value to return, computed when every step is settled; `null` without one.
    #[serde(default)]
    pub output: Json,
    /// What ends a run that does not end by itself.
    #[serde(default)]
    pub limits: Limits,
    /// How failed calls are tried again.
    #[serde(default)]
    pub retry: Backoff,
    /// Seconds after which a question counts as denied; never, without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_expires_s: Option<u32>,
}

/// One step. In JSON it is flat: `tool` with `arguments`, `agent` with `input`, or `approval`, beside the members below.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenStep", into = "WrittenStep")]
pub struct Step {
    /// Its name.
    pub id: StepId,
    /// Steps that must be settled (succeeded or skipped) before.
    pub needs: Vec<StepId>,
    /// jq condition; the step is skipped where it gives `false` or `null`.
    pub when: Option<String>,
    /// jq program that gives an array; the step runs once per element (`item`, `index`), its output is the array of
    /// outputs.
    pub for_each: Option<String>,
    /// What it does.
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Calls a tool of the workflow or a builtin one.
    Tool {
        /// Its name: a key of [`Workflow::tools`], or `parse`, `jq`, `template`.
        name: String,
        /// What it is called with, computed.
        arguments: Json,
    },
    /// Runs another agent of the same project and waits for its output.
    Agent {
        /// Which agent, by id.
        agent: AgentId,
        /// Its input, computed.
        input: Json,
    },
    /// Asks a person and waits; its output is `{decision, reason, decided_by}`.
    Approval {
        /// Template of the question.
        prompt: String,
        /// What the person should see beside it, computed.
        data: Json,
        /// What a denial means.
        on_deny: Denial,
    },
}

/// What a denied approval means for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    /// The run fails.
    #[default]
    Fail,
    /// The run goes on; later steps look at the decision.
    Continue,
}

impl Denial {
    /// Every meaning.
    pub const ALL: [Self; 2] = [Self::Fail, Self::Continue];
}

/// Whether a call may be repeated when its outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Changes nothing; may be repeated.
    ReadOnly,
    /// The other side recognises the operation id; may be repeated.
    Idempotent,
    /// Must never be repeated blindly.
    Unsafe,
}

impl Effect {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::ReadOnly, Self::Idempotent, Self::Unsafe];
}

/// Something a step may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Tool {
    /// Comes with the platform, pure.
    Builtin {
        /// Which one.
        builtin: Builtin,
    },
    /// One templated HTTP request.
    Http {
        /// Whether it may be repeated.
        effect: Effect,
        /// JSON Schema of its arguments; anything goes without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input_schema: Option<Json>,
        /// Whether a person is asked before.
        #[serde(default, skip_serializing_if = "Approval::is_never")]
        approval: Approval,
        /// The request.
        request: HttpRequest,
    },
    /// A tool of a server that speaks the Model Context Protocol.
    Mcp {
        /// Whether it may be repeated. What the server says about that is not asked.
        effect: Effect,
        /// JSON Schema of its arguments, as the server gave it when the version was published, or as it is written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input_schema: Option<Json>,
        /// Whether a person is asked before.
        #[serde(default, skip_serializing_if = "Approval::is_never")]
        approval: Approval,
        /// The server and its tool.
        server: McpServer,
    },
}

/// Whether a person is asked before a call is made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Approval {
    /// Nobody is asked.
    #[default]
    Never,
    /// Every time.
    Always,
    /// Where this jq condition on the arguments gives anything but `false` and `null`.
    When(String),
}

impl Approval {
    /// Whether nobody is ever asked.
    #[must_use]
    pub const fn is_never(&self) -> bool {
        matches!(self, Self::Never)
    }
}

/// The pure tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Builtin {
    /// `{format: json|toml|yaml|csv, text}` → the document; CSV gives an array of objects by its header row.
    Parse,
    /// `{program, input}` → its one result.
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
    /// What is sent as the body instead of the arguments, computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Json>,
    /// Whether the members of the body are sent as the fields of a form, not as JSON.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub form: bool,
    /// Seconds to wait for an answer, 1–300.
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
    /// The tool a step names: one of its own, or a builtin one.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<Tool> {
        let builtin = || Builtin::named(name).map(|builtin| Tool::Builtin { builtin });
        self.tools.get(name).cloned().or_else(builtin)
    }

    /// The step of that name.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Names of the steps a step needs, directly or through others.
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
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Parse, Self::Jq, Self::Template];

    /// The builtin tool of that name.
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
    /// What `kind` may be.
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

/// What ends a run that does not end by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Calls, approvals and skips, all together; 1–10,000.
    pub max_steps: u32,
    /// Seconds from start to end, waiting included; 1–2,592,000 (30 days).
    pub wall_clock_s: u32,
    /// Calls under way at once; 1–64.
    pub concurrency: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_steps: 1_000, wall_clock_s: 86_400, concurrency: 8 }
    }
}

/// How failed calls are tried again: exponential backoff with jitter inside the run's deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backoff {
    /// Tries in all; 1–20.
    pub max_attempts: u32,
    /// Milliseconds before the second try.
    pub initial_ms: u32,
    /// Most milliseconds between two tries.
    pub max_ms: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { max_attempts: 4, initial_ms: 500, max_ms: 30_000 }
    }
}
