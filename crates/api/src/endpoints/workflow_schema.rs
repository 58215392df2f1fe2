//! The JSON form of a workflow, for the document; the domain's own types read it.
#![expect(dead_code, reason = "these types only describe; a test holds them to what the domain reads")]

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A declared graph of steps.
///
/// Wherever a value is computed, an object with the single member `$jq` holds a jq program and one with the single member
/// `$template` a template; both see `input`, `steps.<id>.output`, `steps.<id>.status`, `item`, `index` and `run.id`.
#[derive(ToSchema)]
pub(crate) struct Definition {
    /// JSON Schema of the input; anything goes without one.
    input_schema: Option<Value>,
    /// JSON Schema of the output; anything goes without one.
    output_schema: Option<Value>,
    /// Tools its steps may call by name, beside the builtin `parse`, `jq` and `template`.
    #[schema(required = false)]
    tools: BTreeMap<String, ToolSchema>,
    /// The steps; `needs` determines their order.
    steps: Vec<StepSchema>,
    /// The value to return, computed when every step is settled.
    #[schema(required = false)]
    output: Value,
    /// The limits of a run.
    limits: Option<LimitsSchema>,
    /// The retry policy of failed calls.
    retry: Option<RetrySchema>,
    /// Seconds after which a question counts as denied; never, without.
    approval_expires_s: Option<u32>,
}

/// One step: exactly one of `tool`, `agent` and `approval`.
#[derive(ToSchema)]
#[schema(as = Step)]
struct StepSchema {
    /// Its name: a lower-case letter, then up to 63 of `a-z 0-9 _`.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,63}$")]
    id: String,
    /// Steps that must be settled before.
    #[schema(required = false)]
    needs: Vec<String>,
    /// jq condition; the step is skipped if it is `false` or `null`.
    when: Option<String>,
    /// jq program that gives an array; the step runs once per element.
    for_each: Option<String>,
    /// Name of the tool it calls.
    tool: Option<String>,
    /// The arguments of the call, computed.
    #[schema(required = false)]
    arguments: Value,
    /// The agent it runs.
    agent: Option<Uuid>,
    /// The input of that agent, computed.
    #[schema(required = false)]
    input: Value,
    /// The question.
    approval: Option<ApprovalSchema>,
}

/// A question to a person.
#[derive(ToSchema)]
#[schema(as = ApprovalStep)]
struct ApprovalSchema {
    /// Template of the question.
    prompt: String,
    /// Data shown with the question, computed.
    #[schema(required = false)]
    data: Value,
    /// What a denial means: `fail` (the default) or `continue`.
    #[schema(required = false, default = "fail")]
    on_deny: String,
}

/// Something a step may call, by `kind`.
#[derive(ToSchema)]
#[schema(as = Tool)]
struct ToolSchema {
    /// `builtin`, `http` or `mcp`.
    kind: String,
    /// For `builtin`: `parse`, `jq` or `template`.
    builtin: Option<String>,
    /// For `http` and `mcp`: `read_only`, `idempotent` or `unsafe`; declares whether a call may be repeated.
    effect: Option<String>,
    /// For `http` and `mcp`: JSON Schema of the arguments; if it is missing for `mcp`, the server is asked for it.
    input_schema: Option<Value>,
    /// For `http` and `mcp`: whether a person is asked before a call: `never` (the default), `always`, or `{"when": …}`
    /// with a jq condition on the arguments.
    #[schema(required = false)]
    approval: Value,
    /// For `http`: the request.
    request: Option<RequestSchema>,
    /// For `mcp`: the server and its tool.
    server: Option<ServerSchema>,
}

/// A tool of a server that speaks the Model Context Protocol over streamable HTTP.
#[derive(ToSchema)]
#[schema(as = McpServer)]
pub(super) struct ServerSchema {
    /// The address of the server.
    url: String,
    /// The server's name of the tool.
    tool: String,
    /// Templates of headers; they see `secrets` and nothing else.
    #[schema(required = false)]
    headers: BTreeMap<String, String>,
    /// Seconds to wait for a result.
    #[schema(required = false, default = 30)]
    timeout_s: u32,
}

/// A templated HTTP request; templates see `arguments`, `operation_id` and `run.id`.
#[derive(ToSchema)]
#[schema(as = ToolRequest)]
pub(super) struct RequestSchema {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    method: String,
    /// Template of the URL; inserted values are percent-encoded.
    url: String,
    /// Templates of headers.
    #[schema(required = false)]
    headers: BTreeMap<String, String>,
    /// Whether the arguments are sent as a JSON body.
    #[schema(required = false, default = false)]
    send_arguments: bool,
    /// A computed body that replaces the arguments: `$jq` and `$template` see `arguments`, `operation_id` and `run.id`,
    /// templates also `secrets`.
    #[schema(required = false)]
    body: Value,
    /// Whether the members of the body are sent as the fields of a form, not as JSON.
    #[schema(required = false, default = false)]
    form: bool,
    /// Seconds to wait for an answer.
    #[schema(required = false, default = 30)]
    timeout_s: u32,
}

/// The limits of a run.
#[derive(ToSchema)]
#[schema(as = Limits)]
struct LimitsSchema {
    /// Calls, approvals and skips, all together.
    #[schema(required = false, default = 1000)]
    max_steps: u32,
    /// Seconds from start to end, waiting included.
    #[schema(required = false, default = 86400)]
    wall_clock_s: u32,
    /// Calls under way at once.
    #[schema(required = false, default = 8)]
    concurrency: u32,
}

/// Exponential backoff with jitter, inside the run's deadline.
#[derive(ToSchema)]
#[schema(as = Retry)]
pub(super) struct RetrySchema {
    /// Tries in all.
    #[schema(required = false, default = 4)]
    max_attempts: u32,
    /// Milliseconds before the second try.
    #[schema(required = false, default = 500)]
    initial_ms: u32,
    /// Most milliseconds between two tries.
    #[schema(required = false, default = 30_000)]
    max_ms: u32,
}
