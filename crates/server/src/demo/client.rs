//! A minimal REST client for the demo.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use reqwest::{Client as Http, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use super::events::Events;
use crate::failure::{Failure, causes};

/// Timeout of a response, except for event streams.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The login endpoint.
pub(super) const LOGIN: &str = "/auth/login";

/// A client of the REST API.
#[derive(Clone)]
pub(super) struct Client {
    http: Http,
    base: String,
    session: Option<Arc<Session>>,
}

/// A session and the credentials to renew it: a person may take longer to answer than a token lasts.
struct Session {
    credentials: Value,
    token: RwLock<String>,
}

impl Session {
    fn token(&self) -> String {
        self.token.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, answer: &Value) {
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = token(answer);
    }
}

impl Client {
    /// A client without a session.
    pub(super) fn stranger(url: &str) -> Result<Self, Failure> {
        let http = Http::builder().no_proxy().connect_timeout(Duration::from_secs(5)).build();
        let http = http.map_err(|error| Failure::operation(causes(&error)))?;
        Ok(Self { http, base: format!("{url}/api/v1"), session: None })
    }

    /// The same client with a session from the response of `/auth/login`.
    pub(super) fn signed_in(self, credentials: Value, answer: &Value) -> Self {
        Self { session: Some(Arc::new(Session { credentials, token: RwLock::new(token(answer)) })), ..self }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        let response = self.sent(path, || self.request(Method::GET, path).timeout(TIMEOUT)).await?;
        accepted(response, path).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let response = self.sent(path, || self.request(Method::POST, path).timeout(TIMEOUT).json(body)).await?;
        accepted(response, path).await
    }

    /// Like [`Client::post`]; returns `None` for this one status.
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

    /// The events of a run after a position, as they happen.
    pub(super) async fn events(&self, run: &str, after: u64) -> Result<Events, Failure> {
        let path = format!("/runs/{run}/events");
        let request = || {
            let request = self.request(Method::GET, &path).header("Accept", "text/event-stream");
            request.header("Last-Event-ID", after)
        };
        let response = self.sent(&path, request).await?;
        match response.status() {
            StatusCode::OK => Ok(Events::of(response)),
            status => Err(Failure::operation(format!("GET {path} was answered {status}"))),
        }
    }

    /// Sends a request. If the token has expired, signs in again and sends it once more.
    async fn sent(&self, path: &str, request: impl Fn() -> RequestBuilder) -> Result<Response, Failure> {
        let response = sent(request(), path).await?;
        let Some(session) = self.session.as_ref().filter(|_| response.status() == StatusCode::UNAUTHORIZED) else {
            return Ok(response);
        };
        let login = self.http.post(format!("{}{LOGIN}", self.base)).timeout(TIMEOUT).json(&session.credentials);
        session.replace(&accepted(sent(login, LOGIN).await?, LOGIN).await?);
        sent(request(), path).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.session {
            Some(session) => request.bearer_auth(session.token()),
            None => request,
        }
    }
}

/// The access token in a response of `/auth/login`.
fn token(answer: &Value) -> String {
    answer["access_token"].as_str().unwrap_or_default().to_owned()
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

#[cfg(test)]
mod tests {
    use std::sync::RwLock;

    use serde_json::json;

    use super::{super::account, Arc, Client, Session};
    use crate::{banner, run::tests::served};

    /// The demo's client with an invalid token, for a server that has its account.
    async fn outlasted() -> (tempfile::TempDir, crate::run::ServerHandle, Client, &'static str) {
        let directory = tempfile::tempdir().unwrap();
        let server = served(directory.path()).await;
        let url = banner::url(server.address);
        let client = account::sign_in(&url, server.bootstrap.as_deref(), directory.path()).await.unwrap();
        let credentials = client.session.as_ref().unwrap().credentials.clone();
        let session = Session { credentials, token: RwLock::new("expired".to_owned()) };
        (directory, server, Client { session: Some(Arc::new(session)), ..client }, "/auth/me")
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_client_whose_token_has_expired_signs_in_again() {
        let (_directory, server, client, path) = outlasted().await;
        let answer = client.get(path).await;
        server.stop().await;
        assert_eq!(answer.map(|me| me["email"].clone()), Ok(json!(account::EMAIL)));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_client_that_cannot_sign_in_again_reports_it() {
        let (_directory, server, client, path) = outlasted().await;
        let session = Session { credentials: json!({"email": "a@b.c", "password": "x"}), token: RwLock::default() };
        let answer = Client { session: Some(Arc::new(session)), ..client }.get(path).await;
        server.stop().await;
        assert!(answer.unwrap_err().to_string().contains("/auth/login was answered 401"));
    }
}
