//! A server on the loopback interface that speaks the Model Context Protocol over streamable HTTP, in the current revision
//! or the one before, and remembers what it was asked.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};

use super::service::read_request;

/// What the server does when its tool is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Gives a text and a structured document.
    Answer,
    /// Gives a text that repeats how the caller proved itself.
    Echo,
    /// Says that the tool failed.
    Fail,
    /// Refuses the call as the protocol does.
    Refuse,
    /// Has too much to do for half a minute.
    Overload,
    /// Breaks down.
    Break,
    /// Never answers.
    Silence,
    /// Sends the caller elsewhere.
    Redirect,
    /// Gives two megabytes.
    Flood,
}

/// How a server is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    pub(crate) act: Act,
    /// Speaks 2025-11-25, with a handshake and sessions, and nothing newer.
    pub(crate) old: bool,
    /// Answers by streams of events.
    pub(crate) streams: bool,
    /// Forgets the first session as soon as a tool is called in it.
    pub(crate) forgets: bool,
}

impl From<Act> for Habits {
    fn from(act: Act) -> Self {
        Self { act, old: false, streams: false, forgets: false }
    }
}

pub(crate) struct McpServer {
    pub(crate) address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    asked: Vec<(String, String)>,
    calls: Vec<Value>,
    sessions: usize,
    ended: usize,
    closed: usize,
}

impl McpServer {
    pub(crate) async fn start(habits: impl Into<Habits>) -> Self {
        let habits = habits.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, habits, shared.clone()));
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("state")
    }

    /// The methods that were asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.state().asked.iter().map(|(method, _)| method.clone()).collect()
    }

    /// The head of the last request of a method.
    pub(crate) fn head(&self, of: &str) -> String {
        let state = self.state();
        state.asked.iter().rev().find(|(method, _)| method == of).map(|(_, head)| head.clone()).unwrap_or_default()
    }

    /// What its tool was called with, as the protocol has it.
    pub(crate) fn calls(&self) -> Vec<Value> {
        self.state().calls.clone()
    }

    /// How many sessions were ended by their clients.
    pub(crate) fn ended(&self) -> usize {
        self.state().ended
    }

    /// How many clients closed a connection on which nothing was answered.
    pub(crate) fn closed(&self) -> usize {
        self.state().closed
    }
}

/// What is answered: a status line, more headers, and a body.
struct Answer(&'static str, String, String);

async fn serve(mut stream: TcpStream, habits: Habits, state: Arc<Mutex<State>>) {
    let request = read_request(&mut stream).await;
    let (head, body) = request.split_once("\r\n\r\n").unwrap_or((&request, ""));
    let head = head.to_ascii_lowercase();
    let answer = if head.starts_with("delete ") {
        state.lock().expect("state").ended += 1;
        Some(Answer("204 No Content", String::new(), String::new()))
    } else if head.starts_with("get ") {
        Some(Answer("405 Method Not Allowed", String::new(), String::new()))
    } else {
        asked(&head, &serde_json::from_str(body).unwrap_or_default(), habits, &state)
    };
    let Some(Answer(status, headers, body)) = answer else {
        let gone = tokio::time::timeout(Duration::from_secs(20), stream.readable()).await;
        state.lock().expect("state").closed += usize::from(gone.is_ok());
        return;
    };
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn asked(head: &str, message: &Value, habits: Habits, state: &Mutex<State>) -> Option<Answer> {
    let method = message["method"].as_str().unwrap_or_default();
    let mut state = state.lock().expect("state");
    state.asked.push((method.to_owned(), head.to_owned()));
    if message.get("id").is_none() {
        return Some(Answer("202 Accepted", String::new(), String::new()));
    }
    let given = |result: Value| said(habits, &json!({"jsonrpc": "2.0", "id": message["id"], "result": result}), "");
    let refused = |code: i32, why: &str| {
        let error = json!({"code": code, "message": why});
        said(Habits { streams: false, ..habits }, &json!({"jsonrpc": "2.0", "id": message["id"], "error": error}), "")
    };
    let session = format!("mcp-session-id: session-{}", state.sessions);
    match method {
        "server/discover" if !habits.old => Some(given(json!({
            "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
            "ttlMs": 0, "cacheScope": "private",
        }))),
        "initialize" if habits.old => {
            state.sessions += 1;
            let info = json!({"name": "finder", "version": "1"});
            let result = json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": info});
            let headers = format!("Mcp-Session-Id: session-{}\r\n", state.sessions);
            Some(said(habits, &json!({"jsonrpc": "2.0", "id": message["id"], "result": result}), &headers))
        }
        "tools/list" | "tools/call" if habits.old && !head.contains(&session) => {
            Some(Answer("404 Not Found", String::new(), String::new()))
        }
        "tools/list" => Some(given(json!({"resultType": "complete", "ttlMs": 0, "cacheScope": "private", "tools": [{
            "name": "find", "description": "Finds things.", "annotations": {"readOnlyHint": true},
            "inputSchema": {"type": "object", "required": ["name"]},
        }]}))),
        "tools/call" if habits.forgets && state.sessions == 1 && state.calls.is_empty() => {
            state.calls.push(message["params"].clone());
            Some(Answer("404 Not Found", String::new(), String::new()))
        }
        "tools/call" => {
            state.calls.push(message["params"].clone());
            acted(habits.act, head, given, refused)
        }
        _ => Some(refused(-32_601, "there is no such method")),
    }
}

fn acted(
    act: Act,
    head: &str,
    given: impl Fn(Value) -> Answer,
    refused: impl Fn(i32, &str) -> Answer,
) -> Option<Answer> {
    let text = |text: &str| json!([{"type": "text", "text": text}]);
    match act {
        Act::Answer => {
            Some(given(json!({"resultType": "complete", "content": text("One."), "structuredContent": {"found": 1}})))
        }
        Act::Echo => {
            let line = head.lines().find(|line| line.starts_with("authorization")).unwrap_or_default();
            Some(given(json!({"resultType": "complete", "content": text(line)})))
        }
        Act::Fail => Some(given(json!({"resultType": "complete", "content": text("Nothing found."), "isError": true}))),
        Act::Refuse => Some(refused(-32_602, "that is no name")),
        Act::Overload => Some(Answer("503 Service Unavailable", "Retry-After: 30\r\n".to_owned(), String::new())),
        Act::Break => Some(Answer("500 Internal Server Error", String::new(), String::new())),
        Act::Redirect => Some(Answer("302 Found", "Location: http://127.0.0.1:1/\r\n".to_owned(), String::new())),
        Act::Flood => Some(given(json!({"resultType": "complete", "content": text(&"x".repeat(2 << 20))}))),
        Act::Silence => None,
    }
}

fn said(habits: Habits, message: &Value, headers: &str) -> Answer {
    if habits.streams {
        let headers = format!("{headers}Content-Type: text/event-stream\r\n");
        return Answer("200 OK", headers, format!("event: message\ndata: {message}\n\n"));
    }
    Answer("200 OK", format!("{headers}Content-Type: application/json\r\n"), message.to_string())
}
