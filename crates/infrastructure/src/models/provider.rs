use std::sync::Arc;

use async_trait::async_trait;
use devskyy_application::models::{Deltas, ModelAnswer, ModelError, ModelRequest, Models};
use devskyy_domain::{
    conversation::{Finish, TokenCount, ToolCall},
    kernel::Json,
    models::ProviderKind,
};
use reqwest::{
    Method, StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde::Deserialize;

use super::{
    anthropic,
    endpoint::Endpoint,
    failure::{refused, unavailable},
    openai,
    sse::Event,
    untaken::{FormAsked, form_asked},
    wire::{Unanswered, Wire, bounded, streaming},
};

/// Size limit of a list of models, in bytes.
const MAX_LIST: usize = 4 << 20;

/// One provider, called through its own API.
pub struct ProviderModels {
    endpoint: Endpoint,
    wire: Arc<Wire>,
}

/// An answer that is assembled from a stream.
pub(super) trait Reading: Send {
    /// Processes an event and returns whether it was the last.
    fn take(&mut self, event: &Event, endpoint: &Endpoint, deltas: &dyn Deltas) -> Result<bool, ModelError>;

    /// The answer; `None` if the stream ended prematurely.
    fn answer(self: Box<Self>) -> Option<Reply>;
}

/// An answer without the name it was requested under.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) text: String,
    pub(super) calls: Vec<ToolCall>,
    pub(super) finish: Option<Finish>,
    pub(super) usage: TokenCount,
    pub(super) model: String,
    pub(super) carry: Option<Json>,
}

#[derive(Deserialize)]
struct Listed {
    data: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

impl ProviderModels {
    /// A provider over HTTP.
    #[must_use]
    pub const fn new(endpoint: Endpoint, wire: Arc<Wire>) -> Self {
        Self { endpoint, wire }
    }

    /// The models it lists. Costs nothing, and proves that it is reachable and accepts the key.
    ///
    /// # Errors
    /// [`ModelError`] when it cannot be reached or does not accept the key.
    pub async fn list(&self) -> Result<Vec<String>, ModelError> {
        let sent = self.wire.send(&self.endpoint, Method::GET, &self.endpoint.models(), HeaderMap::new(), None).await;
        let response = sent.map_err(|unanswered| unanswered.into_error(&self.endpoint))?;
        let listed: Listed = serde_json::from_slice(&bounded(response, MAX_LIST).await)
            .map_err(|_| unavailable("its list of models makes no sense"))?;
        Ok(listed.data.into_iter().map(|model| model.id).collect())
    }

    async fn attempt(&self, request: &ModelRequest, deltas: &dyn Deltas) -> Result<ModelAnswer, ModelError> {
        let (_, model) =
            request.model.split_once('/').ok_or_else(|| ModelError::Unconfigured(request.model.clone()))?;
        let (mut reading, response): (Box<dyn Reading>, _) = match self.endpoint.kind {
            ProviderKind::OpenAi => (Box::<openai::Answer>::default(), self.ask_openai(request, model).await?),
            ProviderKind::Anthropic => (Box::<anthropic::Answer>::default(), self.ask_anthropic(request, model).await?),
        };
        self.wire.listen(&self.endpoint, response, |event| reading.take(event, &self.endpoint, deltas)).await?;
        let reply = reading.answer().ok_or_else(|| unavailable("its answer was cut off"))?;
        let finish = reply.finish.ok_or_else(|| unavailable("its answer was cut off"))?;
        let Reply { text, calls, usage, model, carry, .. } = reply;
        let empty = calls.is_empty() && text.trim().is_empty();
        let answered_by = request.model.clone();
        let answer = ModelAnswer { text, calls, finish, usage, model, answered_by, price: None, carry };
        if !empty || !matches!(finish, Finish::Stop | Finish::ToolCalls) {
            return Ok(answer);
        }
        let message = "its answer is empty";
        if usage.total() == 0 {
            return Err(unavailable(message));
        }
        Err(ModelError::Unusable { message: message.to_owned(), answer: Box::new(answer) })
    }

    /// The requested form, unless the server rejected it recently.
    fn form(&self, request: &ModelRequest, model: &str) -> Option<FormAsked> {
        let form = request.output.as_ref().map(|output| form_asked(&self.endpoint.base_url, model, output));
        form.filter(|form| self.wire.takes(form))
    }

    /// Servers differ in the name of the output limit and in whether they accept a form. After a rejection the request
    /// is sent again in another variant, which costs nothing.
    async fn ask_openai(&self, request: &ModelRequest, model: &str) -> Result<reqwest::Response, ModelError> {
        let form = self.form(request, model);
        let mut terms = openai::Terms::at(&self.endpoint.base_url, form.is_some());
        loop {
            match self.post(request, openai::question(request, model, terms).to_string()).await {
                Err(Unanswered::Status(status, wait, fault)) => match terms.milder(&fault) {
                    Some(milder) if is_wrong_question(status) => terms = milder,
                    _ => return Err(fault.with_status(status, wait, &self.endpoint)),
                },
                Err(Unanswered::Failed(error)) => return Err(error),
                Ok(response) => {
                    form.filter(|_| !terms.formed()).into_iter().for_each(|form| self.wire.not_taken(form));
                    return Ok(response);
                }
            }
        }
    }

    /// Older models accept no form, and some schemas are too complex. The form is then sent again in words.
    async fn ask_anthropic(&self, request: &ModelRequest, model: &str) -> Result<reqwest::Response, ModelError> {
        let form = self.form(request, model);
        let failed = |unanswered: Unanswered| unanswered.into_error(&self.endpoint);
        match (self.post(request, anthropic::question(request, model, form.is_some()).to_string()).await, form) {
            (Err(Unanswered::Status(status, _, fault)), Some(form))
                if is_wrong_question(status) && fault.refuses_form() =>
            {
                let response = self.post(request, anthropic::question(request, model, false).to_string()).await;
                let response = response.map_err(failed)?;
                self.wire.not_taken(form);
                Ok(response)
            }
            (sent, _) => sent.map_err(failed),
        }
    }

    async fn post(&self, request: &ModelRequest, body: String) -> Result<reqwest::Response, Unanswered> {
        let mut headers = streaming();
        let operation = HeaderValue::from_str(&request.operation.to_string())
            .map_err(|_| refused("the operation's id cannot stand in a header"))?;
        headers.insert(HeaderName::from_static("x-client-request-id"), operation);
        self.wire.send(&self.endpoint, Method::POST, &self.endpoint.questions(), headers, Some(body)).await
    }
}

#[async_trait]
impl Models for ProviderModels {
    async fn ask(&self, request: &ModelRequest, deltas: &dyn Deltas) -> Result<ModelAnswer, ModelError> {
        let answered = tokio::time::timeout(request.timeout, self.attempt(request, deltas)).await;
        answered.unwrap_or(Err(ModelError::OutOfTime))
    }
}

/// Whether a status means that the request itself is rejected.
fn is_wrong_question(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY)
}

/// Maps the stop reasons of all servers. An unknown one is a retryable failure: the answer may be incomplete.
pub(super) fn stopped(reason: &str, endpoint: &Endpoint) -> Result<Finish, ModelError> {
    match reason.to_ascii_lowercase().as_str() {
        "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" => Ok(Finish::Stop),
        "tool_calls" | "function_call" | "tool_use" => Ok(Finish::ToolCalls),
        "max_tokens" => Ok(Finish::Length),
        "model_context_window_exceeded" => {
            Err(ModelError::TooLong { message: "there was no room left for the whole answer".to_owned() })
        }
        "content_filter" | "refusal" => Ok(Finish::Refused),
        length if length.contains("length") => Ok(Finish::Length),
        other => Err(unavailable(&format!("it stopped for the reason `{}`", endpoint.told(other)))),
    }
}

/// The arguments of a call, parsed from the model's text.
pub(super) fn arguments(text: &str) -> Json {
    if text.trim().is_empty() {
        return Json::Object(std::collections::BTreeMap::new());
    }
    serde_json::from_str(text).unwrap_or_else(|_| Json::from(text))
}
