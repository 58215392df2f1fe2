use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_domain::{
    kernel::{
        Json,
        ids::{OperationId, ProjectId, RunId},
    },
    secrets::{SecretHosts, SecretValue},
    workflow::{McpServer, Tool},
};

use crate::error::PortError;

/// A program, template or schema that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// What is wrong and where, for the author of the workflow.
    pub message: String,
}

/// A well-formed program or template failed on its input, or exceeded its limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvaluationError {
    /// What went wrong, for the author of the workflow.
    pub message: String,
}

/// Evaluates jq programs and templates, bounded in time and size and without any I/O. Under load callers wait; load is
/// never an error.
#[async_trait]
pub trait Expressions: Send + Sync {
    /// Checks a jq program without running it.
    ///
    /// # Errors
    /// [`SyntaxError`] when it does not parse or names an unknown function.
    async fn check_program(&self, program: &str) -> Result<(), SyntaxError>;

    /// Checks a template without rendering it.
    ///
    /// # Errors
    /// [`SyntaxError`] when it does not parse.
    async fn check_template(&self, template: &str) -> Result<(), SyntaxError>;

    /// Runs a jq program on a document; it must return exactly one result.
    ///
    /// # Errors
    /// [`EvaluationError`] when it fails, returns none or several results, or takes too long.
    async fn evaluate(&self, program: &str, input: &Json) -> Result<Json, EvaluationError>;

    /// Renders a template over the members of a document; unknown names are errors.
    ///
    /// # Errors
    /// [`EvaluationError`] when it fails or takes too long.
    async fn render(&self, template: &str, context: &Json) -> Result<String, EvaluationError>;
}

/// One violation of a schema in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaViolation {
    /// JSON pointer (RFC 6901) to the offending value; empty for the whole document.
    pub pointer: String,
    /// What is wrong with it; at most a few hundred characters.
    pub message: String,
}

/// JSON Schema (draft 2020-12), bounded in time and size. Schemas never cause network or file access.
#[async_trait]
pub trait Schemas: Send + Sync {
    /// Checks that a document is a JSON Schema, and that validating against it is not too costly.
    ///
    /// # Errors
    /// At most 20 violations, with pointers into the schema.
    async fn check(&self, schema: &Json) -> Result<(), Vec<SchemaViolation>>;

    /// Checks a document against a schema.
    ///
    /// # Errors
    /// At most 20 violations, with pointers into the document. If validation takes too many steps, one violation
    /// without a pointer.
    async fn validate(&self, schema: &Json, document: &Json) -> Result<(), Vec<SchemaViolation>>;
}

/// A destination to which the platform sends no requests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DestinationRefused {
    /// The reason, for the author of the workflow.
    pub message: String,
}

/// Checks where requests may be sent.
pub trait Destinations: Send + Sync {
    /// Checks the template of a URL, as far as its scheme and host are literal.
    ///
    /// # Errors
    /// [`DestinationRefused`] when no request may ever be sent there.
    fn check(&self, template: &str) -> Result<(), DestinationRefused>;
}

/// One tool call with everything needed to make and repeat it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// The project whose secrets it may use.
    pub project: ProjectId,
    /// The run that makes it; templates see its id.
    pub run: RunId,
    /// Stays the same over retries; idempotent tools send it as `Idempotency-Key`.
    pub operation: OperationId,
    /// The tool to call.
    pub tool: Tool,
    /// The evaluated arguments.
    pub arguments: Json,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// When the result is no longer needed.
    pub deadline: DateTime<Utc>,
}

/// How a tool call fails; the class decides whether it is retried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// Retrying cannot help: invalid arguments, or a client error (4xx).
    #[error("{message}")]
    Permanent {
        /// Stable code, for example `tool.http_status`.
        code: String,
        /// Explanation for the author of the workflow.
        message: String,
    },
    /// A temporary failure that had no effect or may be repeated: rate limit, overload, connection refused.
    #[error("{message}")]
    Transient {
        /// Stable code.
        code: String,
        /// Explanation for the author of the workflow.
        message: String,
        /// The delay requested by the server (`Retry-After`).
        retry_after: Option<Duration>,
    },
    /// The request was sent but not answered: it may or may not have had its effect.
    #[error("{message}")]
    OutcomeUnknown {
        /// Stable code.
        code: String,
        /// Explanation for the author of the workflow.
        message: String,
    },
}

/// Makes tool calls: builtin, `http` and `mcp`. Child agents are handled by the run worker.
#[async_trait]
pub trait ToolExecutor: Send + Sync {
    /// Makes one call and returns its result, bounded in size and time.
    ///
    /// # Errors
    /// [`ToolError`], by class.
    async fn call(&self, call: ToolCall) -> Result<Json, ToolError>;
}

/// A tool as its server describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolDescription {
    /// What it does and when to use it, if the server describes that.
    pub description: Option<String>,
    /// JSON Schema of its arguments.
    pub input_schema: Json,
}

/// Asks servers to describe their tools. Whether a tool may be repeated is not up to them.
#[async_trait]
pub trait ToolDescriptions: Send + Sync {
    /// The server's description of the tool, for a project whose secrets its headers may insert.
    ///
    /// # Errors
    /// [`ToolError`] when the server cannot be reached, or has no such tool.
    async fn describe(&self, project: ProjectId, server: &McpServer) -> Result<ToolDescription, ToolError>;
}

/// A secret to be inserted into a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolSecret {
    /// Its value.
    pub value: SecretValue,
    /// The hosts it may be sent to.
    pub hosts: SecretHosts,
}

/// Secrets of projects, for tools.
#[async_trait]
pub trait ToolSecrets: Send + Sync {
    /// Whether a project has a secret with that name.
    ///
    /// # Errors
    /// [`PortError`] when the query fails.
    async fn knows(&self, project: ProjectId, name: &str) -> Result<bool, PortError>;

    /// The current value of the secret with that name; `None` if the project has none.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read.
    async fn open(&self, project: ProjectId, name: &str) -> Result<Option<ToolSecret>, PortError>;
}
