//! HTTP transport of one request: sent once, read piece by piece, bounded in time and size.

use std::{future::Future, sync::Arc, time::Duration};

use devskyy_application::{error::PortError, models::ModelError, ports::Clock};
use reqwest::{
    Client, Method, Response, StatusCode, Url,
    header::{ACCEPT, HeaderMap, HeaderValue},
};

use super::{
    endpoint::{Endpoint, Patience},
    failure::{Fault, refused, unavailable},
    sse::{Event, Events},
    untaken::{FormAsked, Untaken},
};
use crate::tools::{Admission, EgressPolicy, GuardedResolver, client, refusal, retry_after};

/// Size limit of a whole answer, in bytes.
const MAX_ANSWER: usize = 16 << 20;
/// Size limit of an error's body, in bytes.
const MAX_FAULT: usize = 64 << 10;

/// Idle connections kept per provider, because many runs call the same one.
const IDLE: usize = 64;
/// How long the end of a response may take after its last event, so that its connection can be reused.
const TAIL: Duration = Duration::from_secs(1);

/// The HTTP clients for all providers, with shared connections.
pub struct Wire {
    policy: EgressPolicy,
    /// Connects to vetted addresses only.
    guarded: Client,
    /// Connects to any address, for the operator's providers.
    trusting: Client,
    clock: Arc<dyn Clock>,
    patience: Patience,
    untaken: Untaken,
}

impl Wire {
    /// Creates the clients with the operator's egress policy.
    ///
    /// # Errors
    /// [`PortError`] when the system's trusted certificates cannot be read.
    pub fn new(policy: EgressPolicy, clock: Arc<dyn Clock>, patience: Patience) -> Result<Self, PortError> {
        let failed = |error| PortError::bug("models", "preparing for requests", error);
        let guarded = client(IDLE).dns_resolver(Arc::new(GuardedResolver(policy.clone()))).build().map_err(failed)?;
        let (trusting, untaken) = (client(IDLE).build().map_err(failed)?, Untaken::default());
        Ok(Self { policy, guarded, trusting, clock, patience, untaken })
    }

    /// Whether requests may be sent to that address.
    ///
    /// # Errors
    /// The reason for a refusal, in words.
    pub fn admits(&self, base_url: &str) -> Result<(), String> {
        self.policy.check(base_url).map_err(|refused| refused.to_string())
    }

    /// Whether a form of an answer may be requested, as far as is known.
    pub(super) fn takes(&self, form: &FormAsked) -> bool {
        !self.untaken.holds(form, self.clock.now())
    }

    /// Remembers that a form was rejected.
    pub(super) fn not_taken(&self, form: FormAsked) {
        self.untaken.note(form, self.clock.now());
    }

    /// Sends a request and waits for the head of a successful response.
    pub(super) async fn send(
        &self,
        endpoint: &Endpoint,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Option<String>,
    ) -> Result<Response, Unanswered> {
        let url = Url::parse(url).map_err(|error| refused(format!("its address is not a URL: {error}")))?;
        let client = self.client(endpoint, &url)?;
        let credentials = endpoint.credentials().ok_or_else(|| refused("its key cannot stand in a header"))?;
        let mut request = client.request(method, url).headers(headers).headers(credentials);
        if let Some(body) = body {
            request = request.body(body);
        }
        let sent = within(self.first_byte(endpoint), request.send()).await?;
        let response = sent.map_err(|error| match refusal(&error) {
            Some(denied) => refused(denied.to_string()),
            None if error.is_connect() => unavailable("it cannot be reached"),
            None => unavailable("the connection ended before it answered"),
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let wait = retry_after(response.headers(), self.clock.now());
        let fault = Fault::read(&within(self.patience.idle, bounded(response, MAX_FAULT)).await?);
        Err(Unanswered::Status(status, wait, fault))
    }

    fn client(&self, endpoint: &Endpoint, url: &Url) -> Result<&Client, ModelError> {
        if endpoint.trusted {
            return Ok(&self.trusting);
        }
        match self.policy.admit(url).map_err(|denied| refused(denied.to_string()))? {
            Admission::ByName => Ok(&self.trusting),
            Admission::ByAddress => Ok(&self.guarded),
        }
    }

    fn first_byte(&self, endpoint: &Endpoint) -> Duration {
        endpoint.first_byte.unwrap_or(self.patience.first_byte)
    }

    /// Passes each event of an answer to `take` until the last one. Returns whether it was reached.
    pub(super) async fn listen(
        &self,
        endpoint: &Endpoint,
        mut response: Response,
        mut take: impl FnMut(&Event) -> Result<bool, ModelError> + Send,
    ) -> Result<bool, ModelError> {
        let (mut events, mut read, mut patience) = (Events::default(), 0, self.first_byte(endpoint));
        loop {
            let chunk = within(patience, response.chunk()).await?;
            patience = self.patience.idle;
            let Some(chunk) = chunk.map_err(|_| unavailable("its answer was cut off"))? else { break };
            read += chunk.len();
            if read > MAX_ANSWER {
                return Err(refused(format!("its answer is longer than {MAX_ANSWER} bytes")));
            }
            for event in events.feed(&chunk) {
                if take(&event)? {
                    read_out(response);
                    return Ok(true);
                }
            }
        }
        events.end().map_or(Ok(false), |event| take(&event))
    }
}

/// Reads the rest of a response in the background, because a connection that is dropped before its end is not reused.
fn read_out(mut response: Response) {
    tokio::spawn(tokio::time::timeout(TAIL, async move { while let Ok(Some(_)) = response.chunk().await {} }));
}

/// Why there is no answer to read.
pub(super) enum Unanswered {
    /// An error response with a status.
    Status(StatusCode, Option<Duration>, Fault),
    /// No response.
    Failed(ModelError),
}

impl From<ModelError> for Unanswered {
    fn from(error: ModelError) -> Self {
        Self::Failed(error)
    }
}

impl Unanswered {
    pub(super) fn into_error(self, endpoint: &Endpoint) -> ModelError {
        match self {
            Self::Status(status, wait, fault) => fault.with_status(status, wait, endpoint),
            Self::Failed(error) => error,
        }
    }
}

/// Headers of a request with a streamed response.
pub(super) fn streaming() -> HeaderMap {
    HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("text/event-stream")),
        (reqwest::header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ])
}

async fn within<F: Future + Send>(time: Duration, work: F) -> Result<F::Output, ModelError> {
    tokio::time::timeout(time, work).await.map_err(|_| ModelError::Timeout)
}

/// The beginning of a body.
pub(super) async fn bounded(mut response: Response, most: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = most.saturating_sub(body.len());
        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if room == 0 {
            break;
        }
    }
    body
}
