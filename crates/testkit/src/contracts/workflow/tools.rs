use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use devskyy_application::workflow::{ToolCall, ToolError};
use devskyy_domain::{
    kernel::{
        Json,
        ids::{OperationId, ProjectId, RunId},
    },
    workflow::{Approval, Builtin, Effect, HttpMethod, HttpRequest, McpServer, Tool},
};
use uuid::Uuid;

use super::{WorkflowUnderTest, json};

/// The URLs of services, by their behaviour.
#[derive(Debug, Clone)]
pub struct Services {
    /// Responds with success.
    pub answers: String,
    /// Responds with a client error.
    pub refuses: String,
    /// Responds that it is overloaded, with `Retry-After`.
    pub overloaded: String,
    /// Does not exist.
    pub away: String,
    /// Accepts requests and never responds.
    pub silent: String,
    /// Must not be called.
    pub forbidden: String,
}

/// An unsafe `http` tool with a URL.
#[must_use]
pub fn http(url: &str, input_schema: Option<Json>) -> Tool {
    let (method, headers) = (HttpMethod::Post, BTreeMap::new());
    let (send_arguments, body, form) = (true, None, false);
    let request = HttpRequest { method, url: url.to_owned(), headers, send_arguments, body, form, timeout_s: 1 };
    Tool::Http { effect: Effect::Unsafe, input_schema, approval: Approval::Never, request }
}

/// An unsafe `mcp` tool `find` of the server at a URL.
#[must_use]
pub fn mcp(url: &str, input_schema: Option<Json>) -> Tool {
    let server = McpServer { url: url.to_owned(), tool: "find".to_owned(), headers: BTreeMap::new(), timeout_s: 1 };
    Tool::Mcp { effect: Effect::Unsafe, input_schema, approval: Approval::Never, server }
}

async fn call(it: &WorkflowUnderTest, tool: Tool, arguments: &str) -> Result<Json, ToolError> {
    let (run, operation) = (RunId::from(Uuid::from_u128(1)), OperationId::from(Uuid::from_u128(2)));
    let (project, deadline) = (ProjectId::from(Uuid::from_u128(3)), DateTime::<Utc>::MAX_UTC);
    let arguments = json(arguments);
    it.tools.call(ToolCall { project, run, operation, tool, arguments, attempt: 1, deadline }).await
}

/// A response is returned as the result of one request.
pub async fn an_answer_is_given_back(it: &WorkflowUnderTest) {
    let answer = call(it, (it.kind)(&it.services.answers, None), "{}").await;
    assert_eq!((answer.is_ok(), (it.asked)()), (true, 1), "{answer:?}");
}

/// Retrying would not help.
pub async fn a_refusal_is_permanent(it: &WorkflowUnderTest) {
    let answer = call(it, (it.kind)(&it.services.refuses, None), "{}").await;
    assert!(matches!(answer, Err(ToolError::Permanent { .. })), "{answer:?}");
}

/// Retrying later may help.
pub async fn an_overload_passes_and_tells_when(it: &WorkflowUnderTest) {
    let answer = call(it, (it.kind)(&it.services.overloaded, None), "{}").await;
    let Err(ToolError::Transient { retry_after, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!(retry_after, Some(Duration::from_secs(30)));
}

/// The request had no effect.
pub async fn a_service_that_is_away_may_come_back(it: &WorkflowUnderTest) {
    let answer = call(it, (it.kind)(&it.services.away, None), "{}").await;
    assert!(matches!(answer, Err(ToolError::Transient { .. })), "{answer:?}");
}

/// It may or may not have had its effect.
pub async fn without_an_answer_the_outcome_is_unknown(it: &WorkflowUnderTest) {
    let answer = call(it, (it.kind)(&it.services.silent, None), "{}").await;
    assert!(matches!(answer, Err(ToolError::OutcomeUnknown { .. })), "{answer:?}");
}

/// Destinations are checked with each request, not only on publication.
pub async fn a_forbidden_destination_is_not_asked(it: &WorkflowUnderTest) {
    let answer = call(it, (it.kind)(&it.services.forbidden, None), "{}").await;
    assert!(matches!(answer, Err(ToolError::Permanent { .. })), "{answer:?}");
    assert_eq!((it.asked)(), 0);
}

/// Invalid arguments are not sent.
pub async fn arguments_that_break_the_schema_are_not_sent(it: &WorkflowUnderTest) {
    let schema = json(r#"{"required":["title"]}"#);
    let answer = call(it, (it.kind)(&it.services.answers, Some(schema)), "{}").await;
    assert!(matches!(answer, Err(ToolError::Permanent { .. })), "{answer:?}");
    assert_eq!((it.asked)(), 0);
}

/// Builtin tools can be called, too.
pub async fn a_builtin_template_is_filled_in(it: &WorkflowUnderTest) {
    let arguments = r#"{"template":"Hello {{ name }}","context":{"name":"Ada"}}"#;
    let answer = call(it, Tool::Builtin { builtin: Builtin::Template }, arguments).await;
    assert_eq!(answer.unwrap(), json(r#""Hello Ada""#));
}

/// With description and input schema.
pub async fn a_server_says_what_its_tool_is(it: &WorkflowUnderTest) {
    let server = it.server.clone();
    let said = it.descriptions.describe(ProjectId::from(Uuid::from_u128(3)), &server).await.unwrap();
    let schema = json(r#"{"type":"object","required":["name"]}"#);
    assert_eq!((said.description.as_deref(), said.input_schema), (Some("Finds things."), schema));
}

/// No description is made up.
pub async fn a_tool_the_server_does_not_have_is_not_described(it: &WorkflowUnderTest) {
    let server = McpServer { tool: "lose".to_owned(), ..it.server.clone() };
    let said = it.descriptions.describe(ProjectId::from(Uuid::from_u128(3)), &server).await;
    assert!(matches!(said, Err(ToolError::Permanent { .. })), "{said:?}");
}
