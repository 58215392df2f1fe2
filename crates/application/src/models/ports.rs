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

/// A tool the model may ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolOffer {
    /// Its name.
    pub name: String,
    /// What it does and when to use it, for the model.
    pub description: String,
    /// JSON Schema of its arguments.
    pub schema: Json,
}

/// The form an answer has to have.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputFormat {
    /// Its name, for the model.
    pub name: String,
    /// JSON Schema of the answer.
    pub schema: Json,
}

/// One question to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRequest {
    /// The project that asks, whose providers answer.
    pub project: ProjectId,
    /// Which model: `<provider>/<model>`, where the provider is a name configured for the project or the platform.
    pub model: String,
    /// Whom to ask instead where that one cannot answer, in this order and named alike.
    pub fallbacks: Vec<String>,
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// Tools it may ask for.
    pub tools: Vec<ToolOffer>,
    /// The form of the answer; free text without one.
    pub output: Option<OutputFormat>,
    /// Most tokens it may answer with.
    pub max_output_tokens: u32,
    /// How much chance it may use, in thousandths (0–2,000); the provider's own choice without one.
    pub temperature: Option<u16>,
    /// Never changes over retries.
    pub operation: OperationId,
    /// Longest time the whole answer may take, fallbacks included; at most [`ModelRequest::LONGEST`].
    pub timeout: Duration,
}

impl ModelRequest {
    /// Longest time that any answer may take: a model that has not answered by then does not answer.
    pub const LONGEST: Duration = Duration::from_secs(600);
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelAnswer {
    /// What it said; empty where it only called tools.
    pub text: String,
    /// The calls it wants.
    pub calls: Vec<ToolCall>,
    /// Why it stopped.
    pub finish: Finish,
    /// What it is billed for.
    pub usage: TokenCount,
    /// The model as the provider names it.
    pub model: String,
    /// Which of the names in the request answered.
    pub answered_by: String,
    /// What that one cost when it was asked, where whoever found it by its name knew.
    pub price: Option<AppliedPrice>,
    /// What its provider wants back word for word in [`Message::Assistant`], where the answer wants calls.
    pub carry: Option<Json>,
}

/// Why a model did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Nobody by that name can be asked; the text says why and what to configure.
    #[error("{0}")]
    Unconfigured(String),
    /// Too many questions; may be asked again.
    #[error("the provider's rate limit is exceeded")]
    RateLimited {
        /// How long it wants to be left alone, where it said so.
        retry_after: Option<Duration>,
    },
    /// It is left alone for a while, because it failed too often or asked for it, so that nobody was asked; may be asked later.
    #[error("the provider is not available: it failed too often, and its circuit breaker is open")]
    Resting {
        /// How long at least; while somebody finds out whether it works again, a guess.
        retry_after: Duration,
    },
    /// It is overloaded, failed by itself or could not be reached; may be asked again.
    #[error("the provider is not available: {message}")]
    Unavailable {
        /// What is known, without secrets.
        message: String,
        /// How long to leave it alone, where that is known.
        retry_after: Option<Duration>,
    },
    /// It gave an answer that is of no use, such as an empty one, and says what it bills for it; may be asked again.
    #[error("the provider is not available: {message}")]
    Unusable {
        /// What is wrong with the answer, without secrets.
        message: String,
        /// The answer.
        answer: Box<ModelAnswer>,
    },
    /// It said nothing for too long; may be asked again.
    #[error("the provider took too long")]
    Timeout,
    /// The question, with room for the answer, is longer than the model reads; may be asked when it is shorter.
    #[error("the request exceeds the model's context window: {message}")]
    TooLong {
        /// What it said, without secrets.
        message: String,
    },
    /// The time that the question had is over, which says nothing of the provider: it may have been little. May be asked again.
    #[error("the provider did not answer in the time that was left")]
    OutOfTime,
    /// It will not answer this question, however often it is asked.
    #[error("the provider refused: {message}")]
    Refused {
        /// Its HTTP status, where there was one.
        status: Option<u16>,
        /// Its reason, without secrets.
        message: String,
    },
    /// Asking failed on our side.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Hears an answer while it is being written; never waits and never fails.
pub trait Deltas: Send + Sync {
    /// The next piece of text.
    fn text(&self, piece: &str);

    /// What was heard so far will not be part of the answer: another model begins anew.
    fn restart(&self);
}

/// Asks language models. Dropping the answer's future closes the connection to the provider.
#[async_trait]
pub trait Models: Send + Sync {
    /// Asks once. Whether to ask again is the caller's decision.
    ///
    /// # Errors
    /// [`ModelError`], of which [`ModelError::RateLimited`], [`ModelError::Resting`], [`ModelError::Unavailable`],
    /// [`ModelError::Unusable`], [`ModelError::Timeout`] and [`ModelError::OutOfTime`] may pass by themselves.
    async fn ask(&self, request: &ModelRequest, deltas: &dyn Deltas) -> Result<ModelAnswer, ModelError>;
}

/// Knows which models a project could ask.
#[async_trait]
pub trait ConfiguredModels: Send + Sync {
    /// Whether `<provider>/<model>` could be asked for the project: the provider is configured and enabled, and it
    /// allows the model.
    ///
    /// # Errors
    /// [`PortError`] when the configuration cannot be read.
    async fn knows(&self, project: ProjectId, model: &str) -> Result<bool, PortError>;
}
