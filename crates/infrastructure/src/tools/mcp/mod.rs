//! Tools of Model Context Protocol servers over streamable HTTP, with the same egress rules as `http` tools.

mod failure;
mod result;
mod session;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use chrono::{DateTime, Utc};
use devskyy_application::workflow::{ToolCall, ToolDescription, ToolError, ToolSecrets};
use devskyy_domain::{
    kernel::{Json, ids::ProjectId},
    workflow::{Effect, McpServer},
};
use rmcp::model::{CallToolRequestParams, CallToolResponse, JsonObject, MetaObject, RequestMetaObject};

use self::session::Session;
use super::{builtin::permanent, document::Strict, http::Http, redaction::Redaction};
use crate::workflow::SandboxedExpressions;

/// Maximum bytes of one message of a server.
const MAX_MESSAGE: usize = 1 << 20;
/// The name of the operation id in the metadata of a call.
const OPERATION: &str = "devskyy/operationId";

/// The dependencies of a session.
pub(super) struct Reach<'a> {
    pub(super) http: &'a Http,
    pub(super) expressions: &'a SandboxedExpressions,
    pub(super) secrets: &'a dyn ToolSecrets,
    pub(super) now: DateTime<Utc>,
}

impl Reach<'_> {
    /// Calls a tool of a server.
    pub(super) async fn call(
        &self,
        call: &ToolCall,
        effect: Effect,
        server: &McpServer,
        wait: Duration,
    ) -> Result<Json, ToolError> {
        let sent = AtomicBool::new(false);
        let attempt = Box::pin(self.attempt(call, effect, server, &sent));
        match tokio::time::timeout(wait, attempt).await {
            Ok(Ok((session, told))) => {
                // A result that arrived in time counts, however long closing the session takes.
                session.close().await;
                told
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(failure::timed_out(sent.into_inner())),
        }
    }

    /// The server's description of its tool.
    pub(super) async fn describe(
        &self,
        project: ProjectId,
        server: &McpServer,
        wait: Duration,
    ) -> Result<ToolDescription, ToolError> {
        let asked = Box::pin(async {
            let session = Session::open(self, project, server).await?;
            let described = session.describe(&server.tool, self.now).await;
            Ok((session, described))
        });
        let (session, described) =
            tokio::time::timeout(wait, asked).await.unwrap_or_else(|_| Err(failure::timed_out(false)))?;
        session.close().await;
        described
    }

    /// Makes the call and returns its session, which is still open.
    async fn attempt(
        &self,
        call: &ToolCall,
        effect: Effect,
        server: &McpServer,
        sent: &AtomicBool,
    ) -> Result<(Session, Result<Json, ToolError>), ToolError> {
        let params = params(call, server)?;
        let session = Session::open(self, call.project, server).await?;
        sent.store(true, Ordering::Relaxed);
        let answered = session.service.call_tool_once(params).await;
        let told = match answered {
            Ok(CallToolResponse::Complete(result)) => result::result(&result, effect, &session.redaction),
            Ok(CallToolResponse::InputRequired(_)) => {
                Err(permanent("tool.mcp_unsupported", "the server wants more than a call and an answer"))
            }
            Ok(_) => Err(failure::unclear(
                "tool.mcp_unsupported",
                "the server goes on with the call after its answer",
                effect,
            )),
            Err(error) => Err(failure::calling(&error, effect, &session.redaction, self.now)),
        };
        Ok((session, told))
    }
}

/// The parameters of a call in the protocol's form.
fn params(call: &ToolCall, server: &McpServer) -> Result<CallToolRequestParams, ToolError> {
    let wrong = || permanent("tool.arguments", "an object is expected");
    let mut params = CallToolRequestParams::new(server.tool.clone());
    if call.arguments != Json::Null {
        let text = serde_json::to_string(&call.arguments).map_err(|_| wrong())?;
        params.arguments = Some(serde_json::from_str::<JsonObject>(&text).map_err(|_| wrong())?);
    }
    let operation = JsonObject::from_iter([(OPERATION.to_owned(), call.operation.to_string().into())]);
    params.meta = Some(RequestMetaObject(MetaObject(operation)));
    Ok(params)
}

/// A server's response, parsed strictly and redacted.
fn document(value: &impl serde::Serialize, effect: Effect, redaction: &Redaction) -> Result<Json, ToolError> {
    let odd =
        |error: serde_json::Error| failure::unclear("tool.mcp_protocol", failure::excerpt(&error, redaction), effect);
    let text = serde_json::to_string(value).map_err(odd)?;
    let Strict(document) = serde_json::from_str(&text).map_err(odd)?;
    Ok(redaction.document(document))
}
