//! A ticket tracker on the loopback that recognises idempotency keys, as a real one would, but for tickets that say that
//! they are `unsafe`: of those each request files one, so that none can be sent twice unseen.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
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
    /// Starts a tracker that takes its time over each answer.
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

    /// The tickets that were filed, in no order.
    pub(crate) fn tickets(&self) -> Vec<Value> {
        self.state.lock().unwrap().filed.values().cloned().collect()
    }

    /// How many requests came, repeated ones too.
    pub(crate) fn requests(&self) -> usize {
        self.state.lock().unwrap().requests
    }

    /// How many requests came without an idempotency key.
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
        let (head, body) = read(&mut stream, &mut buffer).await?;
        let key = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("idempotency-key").then(|| value.trim().trim_matches('"').to_owned())
        });
        // A ticket counts from here on, whether or not anybody is left to hear the answer.
        let ticket = {
            let mut state = state.lock().unwrap();
            state.requests += 1;
            state.bare += usize::from(key.is_none());
            let number = state.filed.len() + 1;
            let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
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

/// The next request on a connection: its head and its body.
pub(crate) async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let length =
                head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            let full = end + 4 + length.unwrap_or(0_usize);
            if buffer.len() >= full {
                let body = buffer[end + 4..full].to_vec();
                buffer.drain(..full);
                return Some((head, body));
            }
        }
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        buffer.extend_from_slice(&chunk[..read]);
    }
}
