//! The ports of the workflow language: expressions, templates, schemas and tools.
//!
//! Agents use them to check definitions on publication; runs use them for execution.

mod check;
mod ports;

pub use check::DefinitionCheck;
pub use ports::{
    DestinationRefused, Destinations, EvaluationError, Expressions, SchemaViolation, Schemas, SyntaxError, ToolCall,
    ToolDescription, ToolDescriptions, ToolError, ToolExecutor, ToolSecret, ToolSecrets,
};
