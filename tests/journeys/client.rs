//! A REST client as its users would write it.

use std::time::{Duration, Instant};

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::server::{PATIENCE, Server};

pub(crate) const PASSWORD: &str = "Correct-horse-7";

/// A user who is signed in.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    pub(crate) url: String,
    token: Option<String>,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Client {
    /// A client that has not signed in.
    pub(crate) fn stranger(url: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { http, url: url.to_owned(), token: None }
    }

    /// The first administrator of a fresh server.
    pub(crate) async fn administrator(server: &Server) -> Self {
        let path = server.directory.join("devskyy-data/bootstrap-token");
        let bootstrap = std::fs::read_to_string(path).unwrap();
        let stranger = Self::stranger(&server.url);
        let body = json!({"email": "ada@example.com", "password": PASSWORD, "name": "Ada", "bootstrap_token": bootstrap.trim()});
        stranger.post("/api/v1/auth/register", &body).await.expect(StatusCode::CREATED);
        stranger.signed_in("ada@example.com").await
    }

    /// Signs in again, for example on another server.
    pub(crate) async fn signed_in(&self, email: &str) -> Self {
        self.signed_in_with(email, PASSWORD).await
    }

    /// Signs in with the given password.
    pub(crate) async fn signed_in_with(&self, email: &str, password: &str) -> Self {
        let answer = self.post("/api/v1/auth/login", &json!({"email": email, "password": password})).await;
        let answer = answer.expect(StatusCode::OK);
        Self { token: Some(answer["access_token"].as_str().unwrap().to_owned()), ..self.clone() }
    }

    /// The same user at another address.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        answer(self.request(Method::POST, path).json(body)).await
    }

    /// Creates an agent with a workflow; returns its id.
    pub(crate) async fn agent(&self, name: &str, definition: &Value) -> String {
        let body = json!({"name": name, "type": "workflow", "capabilities": ["test"], "definition": definition});
        let agent = self.post("/api/v1/agents", &body).await.expect(StatusCode::CREATED);
        agent["id"].as_str().unwrap().to_owned()
    }

    /// Starts a run and does not wait for it; returns its id.
    pub(crate) async fn execute(&self, agent: &str, input: &Value) -> String {
        let answer = self.post(&format!("/api/v1/agents/{agent}/execute"), &json!({"input": input})).await;
        // A quick run may have ended before the response.
        assert!([StatusCode::ACCEPTED, StatusCode::OK].contains(&answer.status), "{:#}", answer.body);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// Waits until a run is in one of these states.
    pub(crate) async fn run_in(&self, run: &str, states: &[&str]) -> Value {
        let asked = Instant::now();
        loop {
            let seen = self.get(&format!("/api/v1/runs/{run}")).await.expect(StatusCode::OK);
            if states.iter().any(|state| seen["status"] == *state) {
                return seen;
            }
            assert!(asked.elapsed() < PATIENCE, "the run stays: {seen:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a run has ended.
    pub(crate) async fn run_ended(&self, run: &str) -> Value {
        self.run_in(run, &["completed", "failed", "cancelled", "expired"]).await
    }

    /// Sends a body, whether or not the operation takes one.
    pub(crate) async fn asks(&self, method: Method, path: &str, body: &Value) -> Answer {
        answer(self.request(method, path).json(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        answer(self.request(Method::PUT, path).json(body)).await
    }

    /// Opens the event stream of a run.
    pub(crate) async fn follow(&self, run: &str, after: Option<&str>) -> Following {
        let request =
            self.request(Method::GET, &format!("/api/v1/runs/{run}/events")).header("Accept", "text/event-stream");
        let request = match after {
            Some(id) => request.header("Last-Event-ID", id),
            None => request,
        };
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        Following { response, text: String::new() }
    }

    /// Follows the event stream of a run until such an event or the end of the stream; returns the frames with an id,
    /// as id and data.
    pub(crate) async fn watch(&self, run: &str, after: Option<&str>, last: &str) -> Vec<(String, Value)> {
        let mut following = self.follow(run, after).await;
        let mut seen = Vec::new();
        while let Some(frame) = following.next().await {
            let Some(id) = frame.id else { continue };
            let done = frame.data["type"] == last;
            seen.push((id, frame.data));
            if done {
                break;
            }
        }
        seen
    }
}

/// An open stream of events.
pub(crate) struct Following {
    response: Response,
    text: String,
}

/// A frame of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    /// The position to resume from; live pieces have none.
    pub(crate) id: Option<String>,
    pub(crate) event: String,
    pub(crate) data: Value,
}

impl Following {
    /// The next frame of the stream; `None` when it ends or breaks off.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n").map(|(b, r)| (b.to_owned(), r.to_owned())) {
                self.text = rest;
                let field =
                    |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(|it| it.trim().to_owned());
                let Some(data) = field("data:") else { continue };
                let event = field("event:").unwrap_or_default();
                return Some(Frame { id: field("id:"), event, data: serde_json::from_str(&data).unwrap() });
            }
            let chunk = self.response.chunk().await.ok()??;
            self.text.push_str(&String::from_utf8_lossy(&chunk));
        }
    }

    /// All frames up to the first that matches.
    pub(crate) async fn until(&mut self, last: impl Fn(&Frame) -> bool) -> Vec<Frame> {
        let mut frames: Vec<Frame> = Vec::new();
        while !frames.last().is_some_and(&last) {
            match self.next().await {
                Some(frame) => frames.push(frame),
                None => panic!("the stream ended after {frames:#?}"),
            }
        }
        frames
    }
}

impl Answer {
    /// The body, if the status is the expected one.
    pub(crate) fn expect(self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body
    }
}

/// The response to a request.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response: Response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}
