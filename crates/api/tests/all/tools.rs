//! Tools that answer at once, or lose their answer.

use async_trait::async_trait;
use devskyy_application::workflow::{ToolCall, ToolError, ToolExecutor};
use devskyy_domain::{
    kernel::Json,
    workflow::{Effect, Tool},
};

/// Gives back what it is called with; whatever is unsafe has an unknown outcome.
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
