mod builtin;
mod egress;
mod http;
mod parse;
pub(crate) mod service;

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use devskyy_application::{
    ports::Clock,
    workflow::{ToolCall, ToolError, ToolExecutor as _},
};
use devskyy_domain::{
    kernel::{
        Json,
        ids::{OperationId, RunId},
    },
    workflow::Tool,
};
use devskyy_infrastructure::{
    system::SystemClock,
    tools::{EgressPolicy, Tools},
    workflow::{JsonSchemas, Limits, SandboxedExpressions},
};
use uuid::Uuid;

fn json(text: &str) -> Json {
    serde_json::from_str(text).expect("JSON")
}

fn tools(allow_http: bool, allow: &[String]) -> Tools {
    let expressions = Arc::new(SandboxedExpressions::start(Limits::default()).expect("threads"));
    let policy = EgressPolicy::parse(allow_http, allow).expect("allowances");
    Tools::new(expressions, Arc::new(JsonSchemas::new()), Arc::new(SystemClock), policy).expect("tools")
}

fn call_of(tool: Tool, arguments: &str) -> ToolCall {
    ToolCall {
        run: RunId::from(Uuid::from_u128(1)),
        operation: OperationId::from(Uuid::from_u128(2)),
        tool,
        arguments: json(arguments),
        deadline: SystemClock.now() + TimeDelta::seconds(30),
    }
}

/// What kind of failure a call met, and its code.
fn class(outcome: Result<Json, ToolError>) -> (&'static str, String, Option<Duration>) {
    match outcome.expect_err("a failure") {
        ToolError::Permanent { code, .. } => ("permanent", code, None),
        ToolError::Transient { code, retry_after, .. } => ("transient", code, retry_after),
        ToolError::OutcomeUnknown { code, .. } => ("unknown", code, None),
    }
}

async fn call(tools: &Tools, tool: Tool, arguments: &str) -> Result<Json, ToolError> {
    tools.call(call_of(tool, arguments)).await
}
