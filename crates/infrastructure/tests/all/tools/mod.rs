mod builtin;
mod egress;
mod http;
mod mcp;
mod parse;
mod secrets;
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
        ids::{OperationId, ProjectId, RunId},
    },
    workflow::Tool,
};
use devskyy_infrastructure::{
    system::SystemClock,
    tools::{EgressPolicy, Tools},
    workflow::{JsonSchemas, Limits, SandboxedExpressions},
};
use devskyy_testkit::fakes::FixedSecrets;
use uuid::Uuid;

fn json(text: &str) -> Json {
    serde_json::from_str(text).expect("JSON")
}

fn tools(allow_http: bool, allow: &[String]) -> Tools {
    tools_with(FixedSecrets::default(), allow_http, allow)
}

fn tools_with(secrets: FixedSecrets, allow_http: bool, allow: &[String]) -> Tools {
    let expressions = Arc::new(SandboxedExpressions::start(Limits::default()).expect("threads"));
    let policy = EgressPolicy::parse(allow_http, allow).expect("allowances");
    let (schemas, clock) = (Arc::new(JsonSchemas::start().expect("threads")), Arc::new(SystemClock));
    Tools::new(expressions, schemas, clock, Arc::new(secrets), policy).expect("tools")
}

fn call_of(tool: Tool, arguments: &str) -> ToolCall {
    ToolCall {
        project: ProjectId::from(Uuid::from_u128(3)),
        run: RunId::from(Uuid::from_u128(1)),
        operation: OperationId::from(Uuid::from_u128(2)),
        tool,
        arguments: json(arguments),
        attempt: 1,
        deadline: SystemClock.now() + TimeDelta::seconds(30),
    }
}

/// The kind of a call's failure, and its code.
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
