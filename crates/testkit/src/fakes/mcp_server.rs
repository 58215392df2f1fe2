//! A server of tools for tests: a real server on a port of its own that speaks the Model Context Protocol over streamable
//! HTTP, in the current revision or the one before, and remembers what it was asked.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};

use super::model_server::{Received, read};

/// What the server does when its tool is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum McpAct {
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
    /// Is not available, and does not say for how long.
    Away,
    /// Breaks down.
    Break,
    /// Never answers.
    Silence,
    /// Sends the caller elsewhere.
    Redirect,
    /// Gives two megabytes.
    Flood,
    /// Answers with an error of that code.
    Err(i32),
    /// Refuses the call in so many letters, and then repeats how the caller proved itself.
    EchoBehind(usize),
    /// Answers with a page for people.
    Page,
    /// Answers with half of a document.
    Garble,
}

/// How a server is set up.
#[derive(Debug, Clone, Copy)]
pub struct McpHabits {
    /// What it does when its tool is called.
    pub act: McpAct,
    /// Speaks 2025-11-25, with a handshake and sessions, and nothing newer.
    pub old: bool,
    /// Answers by streams of events.
    pub streams: bool,
    /// Forgets the first session as soon as a tool is called in it.
    pub forgets: bool,
    /// How long it thinks before it answers a call.
    pub thinks: Duration,
    /// How long it takes to take note of the end of a session.
    pub lingers: Duration,
}

impl From<McpAct> for McpHabits {
    fn from(act: McpAct) -> Self {
        let (thinks, lingers) = (Duration::ZERO, Duration::ZERO);
        Self { act, old: false, streams: false, forgets: false, thinks, lingers }
    }
}

/// A server of one tool, `find`.
pub struct McpServer {
    /// Its host and port.
    pub address: String,
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
    /// Starts a server on a free port of this machine; it ends with the test's runtime.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(habits: impl Into<McpHabits>) -> io::Result<Self> {
        let habits = habits.into();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?.to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, habits, shared.clone()));
            }
        });
        Ok(Self { address, state })
    }

    /// Where its tool is called.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// The methods that were asked for, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.state().asked.iter().map(|(method, _)| method.clone()).collect()
    }

    /// The head of the last request of a method.
    #[must_use]
    pub fn head(&self, of: &str) -> String {
        let state = self.state();
        state.asked.iter().rev().find(|(method, _)| method == of).map(|(_, head)| head.clone()).unwrap_or_default()
    }

    /// What its tool was called with, as the protocol has it.
    #[must_use]
    pub fn calls(&self) -> Vec<Value> {
        self.state().calls.clone()
    }

    /// How many sessions were ended by their clients.
    #[must_use]
    pub fn ended(&self) -> usize {
        self.state().ended
    }

    /// How many clients closed a connection on which nothing was answered.
    #[must_use]
    pub fn closed(&self) -> usize {
        self.state().closed
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request's first line and headers, in lower case.
fn head_of(received: &Received) -> String {
    let headers = received.headers.iter().map(|(name, value)| format!("\n{name}: {value}"));
    format!("{}{}", received.request, headers.collect::<String>()).to_ascii_lowercase()
}

/// What is answered: a status line, more headers, and a body.
struct Answer(&'static str, String, String);

async fn serve(mut stream: TcpStream, habits: McpHabits, state: Arc<Mutex<State>>) {
    let Some(received) = read(&mut stream).await else { return };
    let head = head_of(&received);
    let answer = if head.starts_with("delete ") {
        tokio::time::sleep(habits.lingers).await;
        locked(&state).ended += 1;
        Some(Answer("204 No Content", String::new(), String::new()))
    } else if head.starts_with("get ") {
        Some(Answer("405 Method Not Allowed", String::new(), String::new()))
    } else {
        if received.body["method"] == "tools/call" {
            tokio::time::sleep(habits.thinks).await;
        }
        asked(&head, &received.body, habits, &state)
    };
    let Some(Answer(status, headers, body)) = answer else {
        let gone = tokio::time::timeout(Duration::from_secs(20), stream.readable()).await;
        locked(&state).closed += usize::from(gone.is_ok());
        return;
    };
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn asked(head: &str, message: &Value, habits: McpHabits, state: &Mutex<State>) -> Option<Answer> {
    let method = message["method"].as_str().unwrap_or_default();
    let mut state = locked(state);
    state.asked.push((method.to_owned(), head.to_owned()));
    if message.get("id").is_none() {
        return Some(Answer("202 Accepted", String::new(), String::new()));
    }
    let given = |result: Value| said(habits, &json!({"jsonrpc": "2.0", "id": message["id"], "result": result}), "");
    let refused = |code: i32, why: &str| {
        let error = json!({"code": code, "message": why});
        said(
            McpHabits { streams: false, ..habits },
            &json!({"jsonrpc": "2.0", "id": message["id"], "error": error}),
            "",
        )
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
    act: McpAct,
    head: &str,
    given: impl Fn(Value) -> Answer,
    refused: impl Fn(i32, &str) -> Answer,
) -> Option<Answer> {
    let text = |text: &str| json!([{"type": "text", "text": text}]);
    match act {
        McpAct::Answer => {
            Some(given(json!({"resultType": "complete", "content": text("One."), "structuredContent": {"found": 1}})))
        }
        McpAct::Echo => {
            let line = head.lines().find(|line| line.starts_with("authorization")).unwrap_or_default();
            Some(given(json!({"resultType": "complete", "content": text(line)})))
        }
        McpAct::Fail => {
            Some(given(json!({"resultType": "complete", "content": text("Nothing found."), "isError": true})))
        }
        McpAct::Refuse => Some(refused(-32_602, "that is no name")),
        McpAct::Overload => Some(Answer("503 Service Unavailable", "Retry-After: 30\r\n".to_owned(), String::new())),
        McpAct::Away => Some(Answer("503 Service Unavailable", String::new(), String::new())),
        McpAct::Break => Some(Answer("500 Internal Server Error", String::new(), String::new())),
        McpAct::Redirect => Some(Answer("302 Found", "Location: http://127.0.0.1:1/\r\n".to_owned(), String::new())),
        McpAct::Flood => Some(given(json!({"resultType": "complete", "content": text(&"x".repeat(2 << 20))}))),
        McpAct::Err(code) => Some(refused(code, "it did not work")),
        McpAct::EchoBehind(letters) => {
            let line = head.lines().find(|line| line.starts_with("authorization")).unwrap_or_default();
            Some(refused(-32_602, &format!("{}{line}", "x".repeat(letters))))
        }
        McpAct::Page => {
            Some(Answer("200 OK", "Content-Type: text/html\r\n".to_owned(), "<p>Please wait.</p>".to_owned()))
        }
        McpAct::Garble => {
            Some(Answer("200 OK", "Content-Type: application/json\r\n".to_owned(), r#"{"jsonrpc":"#.to_owned()))
        }
        McpAct::Silence => None,
    }
}

fn said(habits: McpHabits, message: &Value, headers: &str) -> Answer {
    if habits.streams {
        let headers = format!("{headers}Content-Type: text/event-stream\r\n");
        return Answer("200 OK", headers, format!("event: message\ndata: {message}\n\n"));
    }
    Answer("200 OK", format!("{headers}Content-Type: application/json\r\n"), message.to_string())
}
