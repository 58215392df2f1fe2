//! The workflow language: jq programs and templates, evaluated within limits, and JSON Schema.

mod budget;
mod cache;
mod expressions;
mod jq;
mod schemas;
mod template;
mod threads;

pub use budget::Limits;
pub use expressions::SandboxedExpressions;
pub use schemas::JsonSchemas;
