//! The language of workflows: jq programs and templates, evaluated within bounds, and JSON Schema.

mod cache;
mod expressions;
mod jq;
mod schemas;
mod template;
mod threads;

pub use expressions::SandboxedExpressions;
pub use jq::Limits;
pub use schemas::JsonSchemas;
