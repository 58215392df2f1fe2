//! Tools that respond at once, or lose their response.

use async_trait::async_trait;
use devskyy_application::workflow::{ToolCall, ToolError, ToolExecutor};
use devskyy_domain::{
    kernel::Json,
    workflow::{Effect, Tool},
};

/// Returns its arguments; the outcome of an unsafe call is unknown.
pub(crate) struct Echo;

#[async_trait]
impl ToolExecutor for Echo {
    async fn call(&self, call: ToolCall) -> Result<Json, ToolError> {
        match call.tool {
            Tool::Http { effect: Effect::Unsafe, .. } => Err(ToolError::OutcomeUnknown {
                code: "tool.no_answer".to_owned(),
                message: "no answer came".to_owned(),
            }),
            Tool::Builtin { .. } | Tool::Http { .. } | Tool::Mcp { .. } => Ok(call.arguments),
        }
    }
}
