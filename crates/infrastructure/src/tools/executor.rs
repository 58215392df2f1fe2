use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    ports::Clock,
    workflow::{Schemas, ToolCall, ToolDescription, ToolDescriptions, ToolError, ToolExecutor, ToolSecrets},
};
use devskyy_domain::{
    kernel::{Json, ids::ProjectId},
    workflow::{Effect, HttpRequest, McpServer, Tool},
};

use super::{
    answer::{Asked, judge},
    builtin::{self, permanent},
    egress::EgressPolicy,
    http::Http,
    mcp::Reach,
    request::prepare,
};
use crate::workflow::SandboxedExpressions;

/// Makes tool calls.
pub struct Tools {
    expressions: Arc<SandboxedExpressions>,
    schemas: Arc<dyn Schemas>,
    clock: Arc<dyn Clock>,
    secrets: Arc<dyn ToolSecrets>,
    http: Http,
}

impl Tools {
    /// Creates the tools with an egress policy.
    ///
    /// # Errors
    /// When the system's trusted certificates cannot be read.
    pub fn new(
        expressions: Arc<SandboxedExpressions>,
        schemas: Arc<dyn Schemas>,
        clock: Arc<dyn Clock>,
        secrets: Arc<dyn ToolSecrets>,
        policy: EgressPolicy,
    ) -> Result<Self, PortError> {
        let http = Http::new(policy).map_err(|error| PortError::bug("tools", "preparing for requests", error))?;
        Ok(Self { expressions, schemas, clock, secrets, http })
    }

    async fn request(&self, call: &ToolCall, effect: Effect, request: &HttpRequest) -> Result<Json, ToolError> {
        let (prepared, redaction) = prepare(&self.expressions, &*self.secrets, call, request, effect).await?;
        let wait = self.time_left(call.deadline)?.min(allowance(request.timeout_s));
        let response = self.http.send(prepared, wait).await?;
        let asked = Asked { effect, repeated: call.attempt > 1, now: self.clock.now() };
        judge(response, &asked, &redaction).await
    }

    fn reach(&self) -> Reach<'_> {
        let Self { expressions, secrets, http, .. } = self;
        Reach { http, expressions, secrets: &**secrets, now: self.clock.now() }
    }

    fn time_left(&self, deadline: DateTime<Utc>) -> Result<Duration, ToolError> {
        let left = (deadline - self.clock.now()).to_std().unwrap_or_default();
        if left.is_zero() { Err(permanent("tool.deadline", "there is no time left for the call")) } else { Ok(left) }
    }

    async fn check_arguments(&self, schema: Option<&Json>, arguments: &Json) -> Result<(), ToolError> {
        let Some(schema) = schema else { return Ok(()) };
        let Err(violations) = self.schemas.validate(schema, arguments).await else { return Ok(()) };
        let told: Vec<_> = violations.iter().map(|wrong| format!("`{}`: {}", wrong.pointer, wrong.message)).collect();
        Err(permanent("tool.arguments", format!("the arguments break the tool's schema: {}", told.join("; "))))
    }
}

#[async_trait]
impl ToolExecutor for Tools {
    async fn call(&self, call: ToolCall) -> Result<Json, ToolError> {
        match &call.tool {
            Tool::Builtin { builtin } => builtin::call(&*self.expressions, *builtin, &call.arguments).await,
            Tool::Http { effect, input_schema, request, approval: _ } => {
                self.check_arguments(input_schema.as_ref(), &call.arguments).await?;
                self.request(&call, *effect, request).await
            }
            Tool::Mcp { effect, input_schema, server, approval: _ } => {
                self.check_arguments(input_schema.as_ref(), &call.arguments).await?;
                let wait = self.time_left(call.deadline)?.min(allowance(server.timeout_s));
                self.reach().call(&call, *effect, server, wait).await
            }
        }
    }
}

#[async_trait]
impl ToolDescriptions for Tools {
    async fn describe(&self, project: ProjectId, server: &McpServer) -> Result<ToolDescription, ToolError> {
        self.reach().describe(project, server, allowance(server.timeout_s)).await
    }
}

fn allowance(seconds: u32) -> Duration {
    Duration::from_secs(seconds.clamp(1, 300).into())
}
