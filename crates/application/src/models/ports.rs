use std::time::Duration;

use async_trait::async_trait;
use devskyy_domain::{
    conversation::{AppliedPrice, Finish, Message, TokenCount, ToolCall},
    kernel::{
        Json,
        ids::{OperationId, ProjectId},
    },
};

use crate::error::PortError;

/// A tool offered to the model.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolOffer {
    /// Its name.
    pub name: String,
    /// What it does and when to use it, for the model.
    pub description: String,
    /// JSON Schema of its arguments.
    pub schema: Json,
}

/// The required form of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputFormat {
    /// Its name, for the model.
    pub name: String,
    /// JSON Schema of the answer.
    pub schema: Json,
}

/// One request to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRequest {
    /// The project, whose providers are used.
    pub project: ProjectId,
    /// The model: `<provider>/<model>`, where the provider is configured for the project or the platform.
    pub model: String,
    /// Models to try, in order, if that one cannot answer.
    pub fallbacks: Vec<String>,
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// The offered tools.
    pub tools: Vec<ToolOffer>,
    /// The required form of the answer; free text if omitted.
    pub output: Option<OutputFormat>,
    /// Limit of tokens in the answer.
    pub max_output_tokens: u32,
    /// Sampling temperature in thousandths (0–2,000); the provider's default if omitted.
    pub temperature: Option<u16>,
    /// Stays the same over retries.
    pub operation: OperationId,
    /// Timeout of the whole answer, fallbacks included; at most [`ModelRequest::LONGEST`].
    pub timeout: Duration,
}

impl ModelRequest {
    /// Longest timeout: a model that has not answered by then is considered failed.
    pub const LONGEST: Duration = Duration::from_secs(600);
}

/// A model's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelAnswer {
    /// Its text; empty if it only called tools.
    pub text: String,
    /// The calls it requests.
    pub calls: Vec<ToolCall>,
    /// Why it stopped.
    pub finish: Finish,
    /// The billed usage.
    pub usage: TokenCount,
    /// The provider's name of the model.
    pub model: String,
    /// The name from the request that answered.
    pub answered_by: String,
    /// The price when the request was sent, if known.
    pub price: Option<AppliedPrice>,
    /// Data that the provider wants back verbatim in [`Message::Assistant`], if the answer requests calls.
    pub carry: Option<Json>,
}

/// Why a model did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// There is no such model; the text gives the reason and what to configure.
    #[error("{0}")]
    Unconfigured(String),
    /// Rate limited; retryable.
    #[error("the provider's rate limit is exceeded")]
    RateLimited {
        /// The provider's `Retry-After`, if any.
        retry_after: Option<Duration>,
    },
    /// The circuit breaker is open, so no request was sent; retryable later.
    #[error("the provider is not available: it failed too often, and its circuit breaker is open")]
    Resting {
        /// How long to wait at least; an estimate while a probe is in flight.
        retry_after: Duration,
    },
    /// The provider is overloaded, failed or could not be reached; retryable.
    #[error("the provider is not available: {message}")]
    Unavailable {
        /// Details, without secrets.
        message: String,
        /// How long to wait, if known.
        retry_after: Option<Duration>,
    },
    /// The answer is useless, for example empty, but billed; retryable.
    #[error("the provider is not available: {message}")]
    Unusable {
        /// What is wrong with it, without secrets.
        message: String,
        /// The answer.
        answer: Box<ModelAnswer>,
    },
    /// It was silent for too long; retryable.
    #[error("the provider took too long")]
    Timeout,
    /// The request, with room for the answer, exceeds the model's context; retryable when it is shorter.
    #[error("the request exceeds the model's context window: {message}")]
    TooLong {
        /// Its message, without secrets.
        message: String,
    },
    /// The request's own timeout has passed, which may have been short and does not blame the provider; retryable.
    #[error("the provider did not answer in the time that was left")]
    OutOfTime,
    /// It refuses this request; not retryable.
    #[error("the provider refused: {message}")]
    Refused {
        /// The HTTP status, if any.
        status: Option<u16>,
        /// The reason, without secrets.
        message: String,
    },
    /// The request failed on our side.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Receives an answer while it is generated; never blocks and never fails.
pub trait Deltas: Send + Sync {
    /// The next piece of text.
    fn text(&self, piece: &str);

    /// Discards the text so far: another model starts over.
    fn restart(&self);
}

/// Calls language models. Dropping the future closes the connection to the provider.
#[async_trait]
pub trait Models: Send + Sync {
    /// Sends one request. Retries are up to the caller.
    ///
    /// # Errors
    /// [`ModelError`]; of these, [`ModelError::RateLimited`], [`ModelError::Resting`], [`ModelError::Unavailable`],
    /// [`ModelError::Unusable`], [`ModelError::Timeout`] and [`ModelError::OutOfTime`] are retryable.
    async fn ask(&self, request: &ModelRequest, deltas: &dyn Deltas) -> Result<ModelAnswer, ModelError>;
}

/// The models available to a project.
#[async_trait]
pub trait ConfiguredModels: Send + Sync {
    /// Whether `<provider>/<model>` is available to the project: the provider is configured and enabled, and allows the
    /// model.
    ///
    /// # Errors
    /// [`PortError`] when the configuration cannot be read.
    async fn knows(&self, project: ProjectId, model: &str) -> Result<bool, PortError>;
}
