use std::sync::Arc;

use async_trait::async_trait;
use devskyy_application::models::{Deltas, ModelAnswer, ModelError, ModelRequest, Models};
use devskyy_domain::{
    conversation::{Finish, ToolCall, Usage},
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
    wire::{Unanswered, Wire, bounded, streaming},
};

/// Bytes of a list of models.
const MAX_LIST: usize = 4 << 20;

/// One provider, spoken to in its own protocol.
pub struct ProviderModels {
    endpoint: Endpoint,
    wire: Arc<Wire>,
}

/// An answer while it is put together from a stream.
pub(super) trait Reading: Send {
    /// Takes an event in and says whether it was the last.
    fn take(&mut self, event: &Event, endpoint: &Endpoint, deltas: &dyn Deltas) -> Result<bool, ModelError>;

    /// The answer; `None` where the stream ended before the model had.
    fn answer(self: Box<Self>) -> Option<Reply>;
}

/// An answer without the name it was asked under.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) text: String,
    pub(super) calls: Vec<ToolCall>,
    pub(super) finish: Option<Finish>,
    pub(super) usage: Usage,
    pub(super) model: String,
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
    /// A provider on a way to it.
    #[must_use]
    pub const fn new(endpoint: Endpoint, wire: Arc<Wire>) -> Self {
        Self { endpoint, wire }
    }

    /// The models it says it has. Costs nothing; proves that it is there and accepts the key.
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
            ProviderKind::Anthropic => {
                let body = anthropic::question(request, model).to_string();
                let sent = self.post(request, body).await;
                (Box::<anthropic::Answer>::default(), sent.map_err(|error| error.into_error(&self.endpoint))?)
            }
        };
        self.wire.listen(&self.endpoint, response, |event| reading.take(event, &self.endpoint, deltas)).await?;
        let reply = reading.answer().ok_or_else(|| unavailable("its answer was cut off"))?;
        let finish = reply.finish.ok_or_else(|| unavailable("its answer was cut off"))?;
        let Reply { text, calls, usage, model, .. } = reply;
        Ok(ModelAnswer { text, calls, finish, usage, model, answered_by: request.model.clone(), price: None })
    }

    /// Servers disagree about what the limit of an answer is called: whoever says so is asked again under the other
    /// name, which costs nothing.
    async fn ask_openai(&self, request: &ModelRequest, model: &str) -> Result<reqwest::Response, ModelError> {
        let limit = openai::limit_for(&self.endpoint.base_url);
        let sent = match self.post(request, openai::question(request, model, limit).to_string()).await {
            Err(Unanswered::Status(StatusCode::BAD_REQUEST, _, fault))
                if limit != openai::NEWER_LIMIT && fault.wants_newer_limit() =>
            {
                self.post(request, openai::question(request, model, openai::NEWER_LIMIT).to_string()).await
            }
            sent => sent,
        };
        sent.map_err(|unanswered| unanswered.into_error(&self.endpoint))
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
        answered.unwrap_or(Err(ModelError::Timeout))
    }
}

/// The arguments of a call, put together from the model's text.
pub(super) fn arguments(text: &str) -> Json {
    if text.trim().is_empty() {
        return Json::Object(std::collections::BTreeMap::new());
    }
    serde_json::from_str(text).unwrap_or_else(|_| Json::from(text))
}
