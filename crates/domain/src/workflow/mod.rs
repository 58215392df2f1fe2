//! The language of workflows, shared by agents, which publish it, and runs, which execute it.

mod backoff;
mod body;
pub mod bounds;
mod computed;
mod definition;
mod graph;
mod mcp;
mod problem;
mod secret;
#[cfg(test)]
mod tests;
mod wire;

pub use body::BodyFault;
pub(crate) use computed::within;
pub use computed::{Computed, Place, computed, filled, member, places};
pub use definition::{
    Action, Approval, Backoff, Builtin, Denial, Effect, HttpMethod, HttpRequest, Limits, Step, StepId, Tool, Workflow,
};
pub use graph::{is_name, problems};
pub use mcp::McpServer;
pub use problem::{Fault, Problem};
pub use secret::{SecretMisused, Sent, secrets_in, secrets_in_url};
