//! A tool and a model on the loopback that respond at once and record the times of requests.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use devskyy_testkit::http::read_request;
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};

type Answers = dyn Fn(&Value) -> (&'static str, String) + Send + Sync;

/// A server that responds to every request at once.
pub(crate) struct Instantly {
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

struct Asked {
    arrived: Instant,
    /// The first words of the conversation.
    who: String,
    question: Value,
}

impl Instantly {
    async fn start(answers: Arc<Answers>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, noted.clone(), answers.clone()));
            }
        });
        Self { address, asked }
    }

    pub(crate) async fn tool() -> Self {
        Self::start(Arc::new(|_| ("application/json", "{\"done\":42}".to_owned()))).await
    }

    /// A model that requests a tool so many times, and then ends. Streamed chat completions.
    pub(crate) async fn model(turns: usize) -> Self {
        Self::start(Arc::new(move |question| {
            let messages = question["messages"].as_array().map_or(&[][..], Vec::as_slice);
            let told = messages.iter().filter(|message| message["role"] == "tool").count();
            let delta = if told < turns {
                let function = json!({"name": "act", "arguments": "{\"program\":\"1\",\"input\":1}"});
                json!({"tool_calls": [{"index": 0, "id": format!("c{told}"), "type": "function", "function": function}]})
            } else {
                json!({"content": "done"})
            };
            let finish = if told < turns { "tool_calls" } else { "stop" };
            let chunk = |delta: Value, finish: Value, usage: Value| {
                let choice = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
                let choices = if usage.is_null() { choice } else { json!([]) };
                format!("data: {}\n\n", json!({"id": "x", "model": "echo-1", "choices": choices, "usage": usage}))
            };
            let usage = json!({"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12});
            let told = [
                chunk(delta, Value::Null, Value::Null),
                chunk(json!({}), json!(finish), Value::Null),
                chunk(json!({}), Value::Null, usage),
                "data: [DONE]\n\n".to_owned(),
            ];
            ("text/event-stream", told.concat())
        }))
        .await
    }

    /// The definition of the tool in a workflow.
    pub(crate) fn described(&self) -> Value {
        let url = format!("http://{}/act", self.address);
        json!({"kind": "http", "effect": "idempotent", "request": {"method": "POST", "url": url, "send_arguments": true}})
    }

    pub(crate) fn arrivals(&self) -> Vec<Instant> {
        self.asked.lock().unwrap().iter().map(|asked| asked.arrived).collect()
    }

    /// Times between two requests of the same conversation, which is identified by its first words.
    pub(crate) fn between(&self) -> Vec<Duration> {
        let mut last: BTreeMap<String, Instant> = BTreeMap::new();
        let asked = self.asked.lock().unwrap();
        asked.iter().filter_map(|asked| Some(asked.arrived - last.insert(asked.who.clone(), asked.arrived)?)).collect()
    }

    /// A sample of the requests, from the first to the last.
    pub(crate) fn questions(&self, some: usize) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        let every = asked.len().div_ceil(some).max(1);
        asked.iter().step_by(every).map(|asked| asked.question.clone()).collect()
    }
}

async fn serve(mut stream: TcpStream, asked: Arc<Mutex<Vec<Asked>>>, answers: Arc<Answers>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut bytes = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut bytes).await {
        let arrived = Instant::now();
        let question: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let messages = question["messages"].as_array();
        let first = messages.and_then(|all| all.iter().find(|message| message["role"] == "user"));
        let who = first.map(|message| message["content"].to_string()).unwrap_or_default();
        let (kind, body) = answers(&question);
        asked.lock().unwrap().push(Asked { arrived, who, question });
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).await.ok()?;
    }
    None
}
