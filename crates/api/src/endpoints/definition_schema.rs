//! The JSON form of a definition, for the document; the domain's own types read it.
#![expect(dead_code, reason = "these types only describe; a test holds them to what the domain reads")]

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::workflow_schema::{Definition, RequestSchema, RetrySchema, ServerSchema};

/// A definition, by the type of the agent.
#[derive(ToSchema)]
#[schema(as = AgentDefinition)]
#[serde(untagged)]
pub(crate) enum DefinitionSchema {
    /// The definition of a `workflow`.
    Workflow(Definition),
    /// The definition of an `assistant`.
    Assistant(Box<AssistantSchema>),
}

/// A model in a loop with tools.
#[derive(ToSchema)]
#[schema(as = Assistant)]
pub(crate) struct AssistantSchema {
    /// The model: `<provider>/<model>`.
    #[schema(example = "local/llama3")]
    model: String,
    /// Models asked in its place, in this order, while its provider does not answer.
    #[schema(required = false)]
    fallbacks: Vec<String>,
    /// Template of what the model is to be and to keep to; sees `input` and `run.id`.
    instructions: String,
    /// The tools of the model, by name.
    #[schema(required = false)]
    tools: BTreeMap<String, AssistantToolSchema>,
    /// JSON Schema of the input; anything goes without one.
    input_schema: Option<Value>,
    /// JSON Schema of the output, which then is JSON; without one the output is the model's last text.
    output_schema: Option<Value>,
    /// The part of a long conversation that the model sees.
    context: Option<ContextSchema>,
    /// The limits of a run.
    limits: Option<AssistantLimitsSchema>,
    /// The retry policy of failed calls of the model and of tools.
    retry: Option<RetrySchema>,
    /// The sampling temperature; the provider's default if omitted.
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f64>,
    /// Most tokens of one answer.
    #[schema(required = false, default = 4096)]
    max_output_tokens: u32,
    /// Seconds after which a question about a call counts as denied.
    approval_expires_s: Option<u32>,
    /// The prices of models, by `<provider>/<model>`.
    #[schema(required = false)]
    prices: BTreeMap<String, PriceSchema>,
}

/// Something a model may call, by `kind`.
#[derive(ToSchema)]
#[schema(as = AssistantTool)]
struct AssistantToolSchema {
    /// `builtin`, `http`, `mcp` or `agent`.
    kind: String,
    /// What the tool does and when to use it, for the model; if it is missing for `mcp`, the server is asked for it.
    description: Option<String>,
    /// JSON Schema of its arguments, an object; if it is missing for `mcp`, the server is asked for it.
    input_schema: Option<Value>,
    /// Whether a person is asked before a call: `never` (the default), `always`, or `{"when": …}` with a jq condition on
    /// the arguments.
    #[schema(required = false)]
    approval: Value,
    /// For `builtin`: `parse`, `jq` or `template`.
    builtin: Option<String>,
    /// For `http` and `mcp`: `read_only`, `idempotent` or `unsafe`.
    effect: Option<String>,
    /// For `http`: the request.
    request: Option<RequestSchema>,
    /// For `mcp`: the server and its tool.
    server: Option<ServerSchema>,
    /// For `agent`: which agent of the project it runs.
    agent: Option<Uuid>,
}

/// The part of a long conversation that the model sees; a turn is an answer with the results of its calls.
#[derive(ToSchema)]
#[schema(as = ContextPolicy)]
struct ContextSchema {
    /// Most turns beside the pinned ones.
    window_turns: Option<u32>,
    /// Most tokens of those turns, estimated.
    window_tokens: Option<u32>,
    /// First turns that never leave.
    #[schema(required = false, default = 0)]
    pinned_turns: u32,
    /// Whether the model sums up what leaves.
    #[schema(required = false, default = false)]
    summary: bool,
}

/// The limits of a run of an assistant.
#[derive(ToSchema)]
#[schema(as = AssistantLimits)]
struct AssistantLimitsSchema {
    /// Model calls, tool calls and approvals, all together.
    #[schema(required = false, default = 100)]
    max_steps: u32,
    /// Tokens of all classes.
    max_tokens: Option<u64>,
    /// Cost in millionths of the unit of the prices.
    max_cost_micros: Option<u64>,
    /// Seconds from start to end, waiting included.
    #[schema(required = false, default = 3600)]
    wall_clock_s: u32,
    /// Tool calls under way at once.
    #[schema(required = false, default = 8)]
    concurrency: u32,
}

/// The price of a model, in millionths of a currency unit per million tokens: 2.50 per million is 2500000.
#[derive(ToSchema)]
#[schema(as = Price)]
struct PriceSchema {
    /// Read afresh.
    input: u64,
    /// Written for the caller.
    output: u64,
    /// Read from the provider's cache.
    #[schema(required = false, default = 0)]
    cache_read: u64,
    /// Put into the provider's cache.
    #[schema(required = false, default = 0)]
    cache_write: u64,
    /// The reasoning tokens; priced like `output` if omitted.
    reasoning: Option<u64>,
}
