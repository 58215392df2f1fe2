//! The language workflows are written in, as far as it needs a machine: expressions, templates, schemas and tools.
//!
//! Agents check definitions with these capabilities when they are published; runs use them to execute.

mod check;
mod ports;

pub use check::DefinitionCheck;
pub use ports::{
    DestinationRefused, Destinations, EvaluationError, Expressions, SchemaViolation, Schemas, SyntaxError, ToolCall,
    ToolDescription, ToolDescriptions, ToolError, ToolExecutor, ToolSecret, ToolSecrets,
};
