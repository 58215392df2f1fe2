//! A Model Context Protocol server for tests: a real server over streamable HTTP, in the current revision or the one
//! before, that records its requests.

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

/// The response to a call of the tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum McpAct {
    /// A text and a structured document.
    Answer,
    /// A text that repeats the caller's credentials.
    Echo,
    /// An error of the tool.
    Fail,
    /// A refusal in the protocol.
    Refuse,
    /// An overload for half a minute.
    Overload,
    /// Unavailable without `Retry-After`.
    Away,
    /// A server error.
    Break,
    /// No response.
    Silence,
    /// A redirect.
    Redirect,
    /// Two megabytes.
    Flood,
    /// An error with that code.
    Err(i32),
    /// A refusal of that many characters, followed by the caller's credentials.
    EchoBehind(usize),
    /// An HTML page.
    Page,
    /// A truncated document.
    Garble,
}

/// The behaviour of a server.
#[derive(Debug, Clone, Copy)]
pub struct McpHabits {
    /// The response to a call.
    pub act: McpAct,
    /// Whether it only supports 2025-11-25, with handshake and sessions.
    pub old: bool,
    /// Whether it responds with event streams.
    pub streams: bool,
    /// Whether it forgets the first session at the first call.
    pub forgets: bool,
    /// Delay before the response to a call.
    pub thinks: Duration,
    /// Delay of closing a session.
    pub lingers: Duration,
}

impl From<McpAct> for McpHabits {
    fn from(act: McpAct) -> Self {
        let (thinks, lingers) = (Duration::ZERO, Duration::ZERO);
        Self { act, old: false, streams: false, forgets: false, thinks, lingers }
    }
}

/// A server with one tool, `find`.
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
    /// Starts a server on a free local port; it ends with the test's runtime.
    ///
    /// # Errors
    /// When no port is available.
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

    /// The URL of its endpoint.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// The requested methods, in order.
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

    /// The parameters of the calls of its tool.
    #[must_use]
    pub fn calls(&self) -> Vec<Value> {
        self.state().calls.clone()
    }

    /// Number of sessions closed by clients.
    #[must_use]
    pub fn ended(&self) -> usize {
        self.state().ended
    }

    /// Number of connections closed by clients before a response.
    #[must_use]
    pub fn closed(&self) -> usize {
        self.state().closed
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The request line and headers, in lower case.
fn head_of(received: &Received) -> String {
    let headers = received.headers.iter().map(|(name, value)| format!("\n{name}: {value}"));
    format!("{}{}", received.request, headers.collect::<String>()).to_ascii_lowercase()
}

/// A response: status line, additional headers, and body.
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
