use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::models::{ModelAnswer, ModelRequest, Models};
use devskyy_domain::{
    conversation::{Finish, Message, TokenCount, ToolCall},
    kernel::Json,
};

use crate::fakes::{ScriptedModels, Turn};

/// The behaviour of a provider for the next request.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Answers.
    Answer(Reply),
    /// Responds with a status.
    Status {
        /// The status.
        status: u16,
        /// The value of `Retry-After`.
        retry_after: Option<&'static str>,
        /// The error code.
        code: &'static str,
    },
    /// Accepts the request and sends nothing.
    Silence,
    /// Sends this text, then nothing.
    Stall(&'static str),
    /// Sends something and stops for an unknown reason.
    Stops(&'static str),
    /// Sends this text, then closes the connection.
    BreakOff(&'static str),
    /// Responds with something that is not its protocol.
    Nonsense,
    /// Sends without end.
    Endless,
}

/// An answer, split for streaming.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Its text, in pieces.
    pub pieces: Vec<&'static str>,
    /// The calls it requests.
    pub calls: Vec<CallScript>,
    /// Why it stops.
    pub finish: Finish,
    /// The billed tokens.
    pub usage: TokenCount,
    /// Bytes sent at once; 0 for no limit.
    pub cut: usize,
    /// Its reasoning, which it requires back with its calls; `None` without reasoning.
    pub mind: Option<&'static str>,
}

/// A call, split for streaming.
#[derive(Debug, Clone, PartialEq)]
pub struct CallScript {
    /// Its id.
    pub id: &'static str,
    /// The tool.
    pub name: &'static str,
    /// The text of its arguments, in pieces.
    pub arguments: Vec<&'static str>,
}

impl Reply {
    /// A text in pieces.
    #[must_use]
    pub fn says(pieces: &[&'static str]) -> Self {
        let usage = TokenCount { input: 9, output: 3, ..TokenCount::default() };
        Self { pieces: pieces.to_vec(), calls: vec![], finish: Finish::Stop, usage, cut: 0, mind: None }
    }
}

/// Controls a provider.
#[async_trait]
pub trait Stage: Send + Sync {
    /// Sets the behaviour for the next request that has none yet.
    fn prepare(&self, act: Act);

    /// Returns when a client has closed its connection.
    async fn hung_up(&self);
}

/// A model client, and the provider it calls.
pub struct ModelsUnderTest {
    /// The client.
    pub models: Arc<dyn Models>,
    /// Controls the provider.
    pub stage: Arc<dyn Stage>,
}

/// Controls a scripted model.
pub struct ScriptedStage {
    acts: Arc<Mutex<VecDeque<Act>>>,
    models: Arc<ScriptedModels>,
}

impl ScriptedStage {
    /// A scripted model and its control.
    #[must_use]
    pub fn set() -> ModelsUnderTest {
        let acts: Arc<Mutex<VecDeque<Act>>> = Arc::default();
        let (left, minds) = (acts.clone(), Mutex::default());
        let models = Arc::new(ScriptedModels::playing(move |request, _| {
            if forgotten(request, &minds) {
                return Turn::Refused(Some(400));
            }
            let act = left.lock().unwrap_or_else(PoisonError::into_inner).pop_front().unwrap_or(Act::Silence);
            if let Act::Answer(Reply { calls, mind: Some(mind), .. }) = &act {
                let called = calls.iter().map(|call| (call.id, *mind));
                minds.lock().unwrap_or_else(PoisonError::into_inner).extend(called);
            }
            turn(act)
        }));
        ModelsUnderTest { models: models.clone(), stage: Arc::new(Self { acts, models }) }
    }
}

#[async_trait]
impl Stage for ScriptedStage {
    fn prepare(&self, act: Act) {
        self.acts.lock().unwrap_or_else(PoisonError::into_inner).push_back(act);
    }

    async fn hung_up(&self) {
        while self.models.abandoned() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Whether a request lacks the data that a model requires back with a call.
fn forgotten(request: &ModelRequest, minds: &Mutex<BTreeMap<&str, &str>>) -> bool {
    let minds = minds.lock().unwrap_or_else(PoisonError::into_inner);
    request.messages.iter().any(|message| match message {
        Message::Assistant { calls, carry, .. } => calls.iter().any(|call| {
            let mind = minds.get(call.id.as_str()).map(|mind| Json::from(*mind));
            mind.is_some() && mind != *carry
        }),
        Message::System { .. } | Message::User { .. } | Message::Tool { .. } => false,
    })
}

fn turn(act: Act) -> Turn {
    match act {
        Act::Answer(reply) if reply.pieces.is_empty() && reply.calls.is_empty() => Turn::Unusable(reply.usage),
        Act::Stops(_) => Turn::Unavailable(None),
        Act::Answer(reply) => Turn::Answer(Box::new(answer(&reply))),
        Act::Status { status: 400, code, .. } if code.contains("too long") || code.contains("exceeded") => {
            Turn::TooLong
        }
        Act::Status { code: "insufficient_quota", status, .. } => Turn::Refused(Some(status)),
        Act::Status { status: 429, retry_after, .. } => Turn::RateLimited(retry_after.and_then(wait)),
        Act::Status { status: 500.., retry_after, .. } => Turn::Unavailable(retry_after.and_then(wait)),
        Act::Status { status, .. } => Turn::Refused(Some(status)),
        Act::Silence => Turn::FallsSilent(String::new()),
        Act::Stall(said) => Turn::FallsSilent(said.to_owned()),
        Act::BreakOff(said) => Turn::BreaksOff(said.to_owned()),
        Act::Nonsense => Turn::Unavailable(None),
        Act::Endless => Turn::Refused(None),
    }
}

/// Scripts do not parse dates: a date counts as half a minute.
fn wait(retry_after: &str) -> Option<Duration> {
    Some(Duration::from_secs(retry_after.parse().unwrap_or(30)))
}

fn answer(reply: &Reply) -> ModelAnswer {
    let calls = reply.calls.iter().map(|call| {
        let text = call.arguments.concat();
        let whole = if text.is_empty() { "{}" } else { &text };
        let arguments = serde_json::from_str(whole).unwrap_or_else(|_| Json::from(whole));
        ToolCall { id: call.id.to_owned(), name: call.name.to_owned(), arguments }
    });
    ModelAnswer {
        text: reply.pieces.concat(),
        calls: calls.collect(),
        finish: reply.finish,
        usage: reply.usage,
        model: "scripted".to_owned(),
        answered_by: String::new(),
        price: None,
        carry: reply.mind.map(Json::from),
    }
}
