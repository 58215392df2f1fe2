//! A ticket tracker on the loopback that recognises idempotency keys, as a real one would, except for `unsafe` tickets:
//! of those each request files one, so that none can be sent twice unnoticed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use devskyy_testkit::http::read_request;
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};

/// A running tracker.
pub(crate) struct Tracker {
    pub(crate) address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    filed: BTreeMap<String, Value>,
    requests: usize,
    bare: usize,
}

impl Tracker {
    /// Starts a tracker that delays each response.
    pub(crate) async fn start(takes: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone(), takes));
            }
        });
        Self { address, state }
    }

    /// The filed tickets, in no order.
    pub(crate) fn tickets(&self) -> Vec<Value> {
        self.state.lock().unwrap().filed.values().cloned().collect()
    }

    /// Number of requests, including repeated ones.
    pub(crate) fn requests(&self) -> usize {
        self.state.lock().unwrap().requests
    }

    /// Number of requests without an idempotency key.
    pub(crate) fn bare(&self) -> usize {
        self.state.lock().unwrap().bare
    }

    /// A tool that files tickets here.
    pub(crate) fn tool(&self) -> Value {
        json!({"kind": "http", "effect": "idempotent", "request": {
            "method": "POST", "url": format!("http://{}/tickets", self.address), "send_arguments": true, "timeout_s": 10
        }})
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>, takes: Duration) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let request = read_request(&mut stream, &mut buffer).await?;
        let key = request.header("idempotency-key").map(|key| key.trim_matches('"').to_owned());
        // A ticket counts from here on, whether or not the client is still there.
        let ticket = {
            let mut state = state.lock().unwrap();
            state.requests += 1;
            state.bare += usize::from(key.is_none());
            let number = state.filed.len() + 1;
            let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let known = key.filter(|_| !asked["unsafe"].is_string());
            let key = known.unwrap_or_else(|| format!("ticket-{number}"));
            state.filed.entry(key).or_insert_with(|| json!({"ticket": format!("T-{number}"), "asked": asked})).clone()
        };
        tokio::time::sleep(takes).await;
        let body = ticket.to_string();
        let head =
            format!("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).await.ok()?;
    }
}
