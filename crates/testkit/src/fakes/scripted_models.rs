use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    models::{ConfiguredModels, Deltas, ModelAnswer, ModelError, ModelPrices, ModelRequest, Models},
};
use devskyy_domain::{
    conversation::{AppliedPrice, Finish, Price, TokenCount, ToolCall},
    kernel::{Json, ids::ProjectId},
};

/// The behaviour of a scripted model for one request.
#[derive(Debug, Clone)]
pub enum Turn {
    /// Answers; the deltas are words.
    Answer(Box<ModelAnswer>),
    /// Fails with an unusable answer that is billed.
    Unusable(TokenCount),
    /// Fails: rate limited.
    RateLimited(Option<Duration>),
    /// Fails: unavailable.
    Unavailable(Option<Duration>),
    /// Fails: in backoff, so it was not called.
    Resting(Duration),
    /// Fails: timeout.
    Timeout,
    /// Fails: the prompt exceeds its context window.
    TooLong,
    /// Fails: the request is refused.
    Refused(Option<u16>),
    /// Sends this text and breaks off as unavailable.
    BreaksOff(String),
    /// Sends this text and then nothing until the caller gives up or the request's deadline.
    FallsSilent(String),
}

impl Turn {
    /// Answers with a text; billed 10 input and 5 output tokens.
    #[must_use]
    pub fn says(text: impl Into<String>) -> Self {
        Self::Answer(Box::new(answer(text.into(), vec![], Finish::Stop)))
    }

    /// Requests tool calls: id, name and arguments of each; billed 10 input and 5 output tokens.
    #[must_use]
    pub fn calls<'a>(calls: impl IntoIterator<Item = (&'a str, &'a str, Json)>) -> Self {
        let call = |(id, name, arguments): (&str, &str, Json)| ToolCall { id: id.into(), name: name.into(), arguments };
        Self::Answer(Box::new(answer(String::new(), calls.into_iter().map(call).collect(), Finish::ToolCalls)))
    }

    /// The same answer with another usage; other turns are unchanged.
    #[must_use]
    pub fn billed(self, usage: TokenCount) -> Self {
        match self {
            Self::Answer(answer) => Self::Answer(Box::new(ModelAnswer { usage, ..*answer })),
            other => other,
        }
    }
}

fn answer(text: String, calls: Vec<ToolCall>, finish: Finish) -> ModelAnswer {
    let usage = TokenCount { input: 10, output: 5, ..TokenCount::default() };
    let (model, answered_by) = ("scripted".to_owned(), String::new());
    ModelAnswer { text, calls, finish, usage, model, answered_by, price: None, carry: None }
}

type Play = dyn Fn(&ModelRequest, usize) -> Turn + Send + Sync;

/// A model that follows a script. The same requests in the same order get the same answers.
pub struct ScriptedModels {
    play: Box<Play>,
    asked: Mutex<Vec<ModelRequest>>,
    abandoned: AtomicUsize,
}

impl ScriptedModels {
    /// A model with these turns, one per request, that refuses further requests.
    #[must_use]
    pub fn taking(turns: impl IntoIterator<Item = Turn>) -> Self {
        let left: Mutex<VecDeque<Turn>> = Mutex::new(turns.into_iter().collect());
        Self::playing(move |_, _| {
            let next = left.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            next.unwrap_or(Turn::Refused(None))
        })
    }

    /// A model whose turn depends on the request and on the number of earlier ones, from 0.
    #[must_use]
    pub fn playing(play: impl Fn(&ModelRequest, usize) -> Turn + Send + Sync + 'static) -> Self {
        Self { play: Box::new(play), asked: Mutex::default(), abandoned: AtomicUsize::new(0) }
    }

    /// All requests so far.
    #[must_use]
    pub fn asked(&self) -> Vec<ModelRequest> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Number of requests dropped before they were answered.
    #[must_use]
    pub fn abandoned(&self) -> usize {
        self.abandoned.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for ScriptedModels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedModels").field("abandoned", &self.abandoned).finish_non_exhaustive()
    }
}

/// Counts a request as abandoned unless it was answered.
struct Pending<'a>(&'a AtomicUsize, bool);

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[async_trait]
impl Models for ScriptedModels {
    async fn ask(&self, request: &ModelRequest, deltas: &dyn Deltas) -> Result<ModelAnswer, ModelError> {
        let turn = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.push(request.clone());
            (self.play)(request, asked.len() - 1)
        };
        let mut pending = Pending(&self.abandoned, false);
        let outcome = take(turn, request, deltas).await;
        pending.1 = true;
        outcome
    }
}

async fn take(turn: Turn, request: &ModelRequest, deltas: &dyn Deltas) -> Result<ModelAnswer, ModelError> {
    let message = || "as the script has it".to_owned();
    match turn {
        Turn::Answer(answer) => {
            for word in answer.text.split_inclusive(' ') {
                deltas.text(word);
                tokio::task::yield_now().await;
            }
            Ok(ModelAnswer { answered_by: request.model.clone(), price: price_of(&request.model), ..*answer })
        }
        Turn::Unusable(usage) => {
            let empty = answer(String::new(), vec![], Finish::Stop);
            let (answered_by, price) = (request.model.clone(), price_of(&request.model));
            Err(ModelError::Unusable {
                message: message(),
                answer: Box::new(ModelAnswer { usage, answered_by, price, ..empty }),
            })
        }
        Turn::RateLimited(retry_after) => Err(ModelError::RateLimited { retry_after }),
        Turn::Unavailable(retry_after) => Err(ModelError::Unavailable { message: message(), retry_after }),
        Turn::Resting(retry_after) => Err(ModelError::Resting { retry_after }),
        Turn::Timeout => Err(ModelError::Timeout),
        Turn::TooLong => Err(ModelError::TooLong { message: message() }),
        Turn::Refused(status) => Err(ModelError::Refused { status, message: message() }),
        Turn::BreaksOff(said) => {
            deltas.text(&said);
            Err(ModelError::Unavailable { message: message(), retry_after: None })
        }
        Turn::FallsSilent(said) => {
            deltas.text(&said);
            tokio::time::sleep(request.timeout).await;
            Err(ModelError::OutOfTime)
        }
    }
}

/// Whether a model belongs to the provider `scripted`.
fn is_scripted(model: &str) -> bool {
    model.strip_prefix("scripted/").is_some_and(|name| !name.is_empty())
}

/// A millionth per token of any class.
fn price_of(model: &str) -> Option<AppliedPrice> {
    let each = 1_000_000;
    let price = Price { input: each, output: each, cache_read: each, cache_write: each, reasoning: each };
    is_scripted(model).then_some(AppliedPrice { list: "scripted:1".to_owned(), price })
}

#[async_trait]
impl ConfiguredModels for ScriptedModels {
    /// Every model of the provider `scripted`.
    async fn knows(&self, _: ProjectId, model: &str) -> Result<bool, PortError> {
        Ok(is_scripted(model))
    }
}

#[async_trait]
impl ModelPrices for ScriptedModels {
    /// Every model of the provider `scripted` costs a millionth per token of any class.
    async fn price(&self, _: ProjectId, model: &str) -> Result<Option<AppliedPrice>, PortError> {
        Ok(price_of(model))
    }
}

/// Ignores all deltas.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDeltas;

impl Deltas for NoDeltas {
    fn text(&self, _: &str) {}

    fn restart(&self) {}
}

/// Collects deltas.
#[derive(Debug, Default)]
pub struct Heard(Mutex<Vec<String>>);

impl Heard {
    /// The pieces since the last restart.
    #[must_use]
    pub fn pieces(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Deltas for Heard {
    fn text(&self, piece: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(piece.to_owned());
    }

    fn restart(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
