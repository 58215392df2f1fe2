//! HTTP requests: only to allowed destinations, once, and with a timeout.

use std::{error::Error as _, sync::Arc, time::Duration};

use devskyy_application::workflow::ToolError;
use reqwest::{Client, Response, Url, redirect::Policy};

use super::{
    builtin::permanent,
    egress::{Admission, EgressPolicy, EgressRefused, GuardedResolver},
    request::Prepared,
};

/// Timeout for opening a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Maximum idle connections kept per service.
const IDLE: usize = 4;

/// Sends requests.
pub(super) struct Http {
    policy: EgressPolicy,
    /// Connects to allowed addresses only.
    guarded: Client,
    /// Connects to any address; for hosts that the operator allows by name.
    trusting: Client,
}

impl Http {
    pub(super) fn new(policy: EgressPolicy) -> Result<Self, reqwest::Error> {
        let guarded = client(IDLE).dns_resolver(Arc::new(GuardedResolver(policy.clone()))).build()?;
        Ok(Self { policy, guarded, trusting: client(IDLE).build()? })
    }

    /// The client for a URL.
    pub(super) fn client(&self, url: &Url) -> Result<&Client, ToolError> {
        match self.policy.admit(url).map_err(|refused| denied(&refused))? {
            Admission::ByName => Ok(&self.trusting),
            Admission::ByAddress => Ok(&self.guarded),
        }
    }

    /// Sends a request and waits for the head of the response.
    pub(super) async fn send(&self, prepared: Prepared, wait: Duration) -> Result<Response, ToolError> {
        let client = self.client(&prepared.url)?;
        let mut request = client.request(prepared.method, prepared.url).headers(prepared.headers).timeout(wait);
        if let Some(body) = prepared.body {
            request = request.body(body);
        }
        request.send().await.map_err(|error| match refusal(&error) {
            Some(refused) => denied(refused),
            None => unanswered(&error),
        })
    }
}

fn denied(refused: &EgressRefused) -> ToolError {
    permanent("tool.egress_refused", refused.to_string())
}

/// A client that does nothing on its own: no redirects, no proxy from the environment, no retries. It keeps up to
/// `idle` connections per host.
pub(crate) fn client(idle: usize) -> reqwest::ClientBuilder {
    Client::builder()
        .user_agent(concat!("devskyy/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT)
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(idle)
}

/// The resolver's refusal, if it is the cause of the error.
pub(crate) fn refusal(error: &reqwest::Error) -> Option<&EgressRefused> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref() {
            return Some(refused);
        }
        cause = error.source();
    }
    None
}

/// Classifies a missing response: no effect if no connection was opened, else the outcome is unknown.
fn unanswered(error: &reqwest::Error) -> ToolError {
    if error.is_connect() {
        let (code, message) = ("tool.http_connect".to_owned(), "the service cannot be reached".to_owned());
        return ToolError::Transient { code, message, retry_after: None };
    }
    if error.is_builder() {
        return permanent("tool.http_url", "the request cannot be built");
    }
    let (code, message) = if error.is_timeout() {
        ("tool.http_timeout", "the service did not answer in time")
    } else {
        ("tool.http_cut_off", "the connection ended before the service answered")
    };
    ToolError::OutcomeUnknown { code: code.to_owned(), message: message.to_owned() }
}
