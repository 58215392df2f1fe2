//! A REST client of the platform, as small as the demo needs it.

use std::time::Duration;

use reqwest::{Client as Http, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use super::events::Events;
use crate::failure::{Failure, causes};

/// How long an answer may take, but for a stream of events.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Somebody at the REST interface.
#[derive(Clone)]
pub(super) struct Client {
    http: Http,
    base: String,
    token: Option<String>,
}

impl Client {
    /// Somebody who has not signed in.
    pub(super) fn stranger(url: &str) -> Result<Self, Failure> {
        let http = Http::builder().no_proxy().connect_timeout(Duration::from_secs(5)).build();
        let http = http.map_err(|error| Failure::operation(causes(&error)))?;
        Ok(Self { http, base: format!("{url}/api/v1"), token: None })
    }

    /// The same client with a proof of who asks.
    pub(super) fn with_token(self, token: String) -> Self {
        Self { token: Some(token), ..self }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        accepted(sent(self.request(Method::GET, path).timeout(TIMEOUT), path).await?, path).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        accepted(sent(self.request(Method::POST, path).timeout(TIMEOUT).json(body), path).await?, path).await
    }

    /// As [`Client::post`]; nothing where the answer has this one status.
    pub(super) async fn post_unless(
        &self,
        not: StatusCode,
        path: &str,
        body: &Value,
    ) -> Result<Option<Value>, Failure> {
        let request = self.request(Method::POST, path).timeout(TIMEOUT).json(body);
        let response = sent(request, path).await?;
        if response.status() == not { Ok(None) } else { accepted(response, path).await.map(Some) }
    }

    /// What happens to a run after a position, as it happens.
    pub(super) async fn events(&self, run: &str, after: u64) -> Result<Events, Failure> {
        let path = format!("/runs/{run}/events");
        let request = self.request(Method::GET, &path).header("Accept", "text/event-stream");
        let response = sent(request.header("Last-Event-ID", after), &path).await?;
        match response.status() {
            StatusCode::OK => Ok(Events::of(response)),
            status => Err(Failure::operation(format!("GET {path} was answered {status}"))),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}

async fn sent(request: RequestBuilder, path: &str) -> Result<Response, Failure> {
    request.send().await.map_err(|error| unreachable(path, &error))
}

async fn accepted(response: Response, path: &str) -> Result<Value, Failure> {
    let status = response.status();
    let body = parsed(response, path).await?;
    if status.is_success() {
        return Ok(body);
    }
    let detail = body["detail"].as_str().unwrap_or_default();
    let places =
        body["errors"].as_array().map(|errors| format!(" {}", Value::from(errors.clone()))).unwrap_or_default();
    Err(Failure::operation(format!("{path} was answered {status}: {detail}{places}")))
}

async fn parsed(response: Response, path: &str) -> Result<Value, Failure> {
    let text = response.text().await.map_err(|error| unreachable(path, &error))?;
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text)
        .map_err(|error| Failure::operation(format!("{path} was not answered with JSON: {error}")))
}

fn unreachable(path: &str, error: &reqwest::Error) -> Failure {
    Failure::operation(format!("{path} was not answered: {}", causes(error)))
}
