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

/// A program, template or schema that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// What is wrong and where, for the author of the workflow.
    pub message: String,
}

/// A well-formed program or template failed on the data it was given, or exceeded its limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvaluationError {
    /// What went wrong, for the author of the workflow.
    pub message: String,
}

/// Evaluates jq programs and templates, bounded in time and size and without any I/O. Whoever asks for more at once than
/// can be done waits; that others ask for much is never an error.
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

    /// Runs a jq program on a document; exactly one result is expected.
    ///
    /// # Errors
    /// [`EvaluationError`] when it fails, gives no or several results, or takes too long.
    async fn evaluate(&self, program: &str, input: &Json) -> Result<Json, EvaluationError>;

    /// Renders a template over the members of a document; unknown names are errors.
    ///
    /// # Errors
    /// [`EvaluationError`] when it fails or takes too long.
    async fn render(&self, template: &str, context: &Json) -> Result<String, EvaluationError>;
}

/// One place where a document breaks its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaViolation {
    /// JSON pointer (RFC 6901) to the offending value; empty for the whole document.
    pub pointer: String,
    /// What is wrong with it; never longer than a few hundred characters.
    pub message: String,
}

/// Knows JSON Schema (draft 2020-12), bounded in time and size. Schemas never cause network or file access.
#[async_trait]
pub trait Schemas: Send + Sync {
    /// Checks that a document is a JSON Schema, and one that is not too costly to hold documents against.
    ///
    /// # Errors
    /// At most 20 violations, with pointers into the schema.
    async fn check(&self, schema: &Json) -> Result<(), Vec<SchemaViolation>>;

    /// Checks a document against a schema.
    ///
    /// # Errors
    /// At most 20 violations, with pointers into the document. One that takes too many steps to be checked has one, without
    /// a pointer.
    async fn validate(&self, schema: &Json, document: &Json) -> Result<(), Vec<SchemaViolation>>;
}

/// A destination the platform sends nothing to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DestinationRefused {
    /// Why, for the author of the workflow.
    pub message: String,
}

/// Knows where requests may go.
pub trait Destinations: Send + Sync {
    /// Checks the template of an address as far as its scheme and host are written out.
    ///
    /// # Errors
    /// [`DestinationRefused`] when no request could ever go there.
    fn check(&self, template: &str) -> Result<(), DestinationRefused>;
}

/// One call of a tool, complete enough to be made, and made again.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// Whose secrets it may use.
    pub project: ProjectId,
    /// The run that makes it; templates see its id.
    pub run: RunId,
    /// Never changes over retries; idempotent tools hand it on as `Idempotency-Key`.
    pub operation: OperationId,
    /// What to call.
    pub tool: Tool,
    /// With what; already evaluated.
    pub arguments: Json,
    /// Which try, from 1.
    pub attempt: u32,
    /// When the answer is no longer wanted.
    pub deadline: DateTime<Utc>,
}

/// How a tool call fails; the class decides whether it is tried again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// Trying again cannot help: bad arguments, a refusal (4xx).
    #[error("{message}")]
    Permanent {
        /// Stable code, for example `tool.http_status`.
        code: String,
        /// For the author of the workflow.
        message: String,
    },
    /// It may pass and surely had no effect or may be repeated: rate limit, overload, connection refused.
    #[error("{message}")]
    Transient {
        /// Stable code.
        code: String,
        /// For the author of the workflow.
        message: String,
        /// What the other side asked for (`Retry-After`).
        retry_after: Option<Duration>,
    },
    /// The request was sent and no answer came: it may or may not have had its effect.
    #[error("{message}")]
    OutcomeUnknown {
        /// Stable code.
        code: String,
        /// For the author of the workflow.
        message: String,
    },
}

/// Makes tool calls (builtin, `http` and `mcp`; child agents are the run worker's own business).
#[async_trait]
pub trait ToolExecutor: Send + Sync {
    /// Makes one call and returns its result, bounded in size and time.
    ///
    /// # Errors
    /// [`ToolError`], by class.
    async fn call(&self, call: ToolCall) -> Result<Json, ToolError>;
}

/// What a server says about one of its tools.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolDescription {
    /// What it does and when to use it, where the server says.
    pub description: Option<String>,
    /// JSON Schema of its arguments.
    pub input_schema: Json,
}

/// Asks servers what their tools are; whether a tool may be repeated is not theirs to say.
#[async_trait]
pub trait ToolDescriptions: Send + Sync {
    /// What a server says about the tool, for a project whose secrets its headers may insert.
    ///
    /// # Errors
    /// [`ToolError`] when the server cannot be asked, or has no such tool.
    async fn describe(&self, project: ProjectId, server: &McpServer) -> Result<ToolDescription, ToolError>;
}

/// A secret on its way into a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolSecret {
    /// What it is.
    pub value: SecretValue,
    /// Where it may be sent.
    pub hosts: SecretHosts,
}

/// Secrets of projects, as far as tools need them.
#[async_trait]
pub trait ToolSecrets: Send + Sync {
    /// Whether a project has a secret of that name.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn knows(&self, project: ProjectId, name: &str) -> Result<bool, PortError>;

    /// The secret of that name as it is now; `None` where the project has none.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read.
    async fn open(&self, project: ProjectId, name: &str) -> Result<Option<ToolSecret>, PortError>;
}
