//! Small real adapters: expressions that know paths, tools that do as their address says, and a log that can be
//! interrupted between any two of its answers.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{AppendError, AppendRequest, Appended, EventFilter, EventStore, Page, Position, RecordedEvent, StreamId},
    workflow::{
        EvaluationError, Expressions, SchemaViolation, Schemas, SyntaxError, ToolCall, ToolError, ToolExecutor,
    },
};
use devskyy_domain::{
    kernel::{Json, Version, ids::OperationId},
    workflow::Tool,
};

/// Knows `fail`, literals, paths and `path == "text"`; templates put paths between double braces.
pub(crate) struct PathExpressions;

fn path(program: &str, document: &Json) -> Json {
    let names = program.trim().trim_start_matches('.').split('.').filter(|name| !name.is_empty());
    names.fold(document.clone(), |found, name| found.get(name).cloned().unwrap_or_default())
}

#[async_trait]
impl Expressions for PathExpressions {
    fn check_program(&self, program: &str) -> Result<(), SyntaxError> {
        if program.contains("((") { Err(SyntaxError { message: "unbalanced".into() }) } else { Ok(()) }
    }

    fn check_template(&self, template: &str) -> Result<(), SyntaxError> {
        if template.ends_with("{{") { Err(SyntaxError { message: "unclosed".into() }) } else { Ok(()) }
    }

    async fn evaluate(&self, program: &str, input: &Json) -> Result<Json, EvaluationError> {
        if program == "fail" {
            return Err(EvaluationError { message: "it failed".into() });
        }
        if let Some((left, right)) = program.split_once(" == ") {
            return Ok((path(left, input) == Json::from(right.trim_matches('"'))).into());
        }
        Ok(serde_json::from_str(program).unwrap_or_else(|_| path(program, input)))
    }

    async fn render(&self, template: &str, context: &Json) -> Result<String, EvaluationError> {
        let mut parts = template.split("{{");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (program, rest) = part.split_once("}}").unwrap();
            text.push_str(path(program, context).as_str().unwrap_or("?"));
            text.push_str(rest);
        }
        Ok(text)
    }
}

/// Knows the schema keyword `required` and nothing else.
pub(crate) struct RequiredMembers;

impl Schemas for RequiredMembers {
    fn check(&self, schema: &Json) -> Result<(), Vec<SchemaViolation>> {
        let wrong = || vec![SchemaViolation { pointer: "/required".into(), message: "not an array".into() }];
        schema.get("required").is_none_or(|names| names.as_array().is_some()).then_some(()).ok_or_else(wrong)
    }

    fn validate(&self, schema: &Json, document: &Json) -> Result<(), Vec<SchemaViolation>> {
        let names = schema.get("required").and_then(Json::as_array).unwrap_or_default();
        let missing = names.iter().filter_map(Json::as_str).filter(|name| document.get(name).is_none());
        let missing: Vec<_> = missing
            .map(|name| SchemaViolation { pointer: format!("/{name}"), message: "is required".into() })
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    }
}

/// Does what the address of a call says, and remembers every call that reached the other side.
#[derive(Default)]
pub(crate) struct ScriptedTools {
    made: Mutex<Vec<(String, OperationId)>>,
}

impl ScriptedTools {
    /// Every call that reached the other side, in order.
    pub(crate) fn made(&self) -> Vec<(String, OperationId)> {
        self.made.lock().unwrap().clone()
    }

    /// How often each operation reached the other side.
    pub(crate) fn per_operation(&self) -> BTreeMap<OperationId, usize> {
        let mut counts = BTreeMap::new();
        self.made().into_iter().for_each(|(_, operation)| *counts.entry(operation).or_insert(0) += 1);
        counts
    }

    fn reach(&self, address: &str, operation: OperationId) -> usize {
        let mut made = self.made.lock().unwrap();
        made.push((address.to_owned(), operation));
        made.iter().filter(|(_, other)| *other == operation).count()
    }
}

/// Lets whoever polls interrupt here.
pub(crate) async fn interruptible() {
    let mut paused = false;
    poll_fn(|context| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[async_trait]
impl ToolExecutor for ScriptedTools {
    async fn call(&self, call: ToolCall) -> Result<Json, ToolError> {
        let Tool::Http { request, .. } = &call.tool else { return Ok(call.arguments) };
        let address = request.url.as_str();
        let (code, message) = ("tool.scripted".to_owned(), address.to_owned());
        interruptible().await;
        let times = self.reach(address, call.operation);
        interruptible().await;
        match address {
            "echo" | "file" => Ok(call.arguments),
            "flaky" if times < 3 => {
                let retry_after = Some(Duration::from_secs(30)).filter(|_| times == 1);
                Err(ToolError::Transient { code, message, retry_after })
            }
            "flaky" => Ok(call.arguments),
            "down" => Err(ToolError::Transient { code, message, retry_after: None }),
            "lost" => Err(ToolError::OutcomeUnknown { code, message }),
            "hangs" => std::future::pending().await,
            "huge" => Ok("x".repeat(2 * 1024 * 1024).into()),
            _ => Err(ToolError::Permanent { code, message }),
        }
    }
}

/// A log whose every answer can be cut off before and after it took effect.
pub(crate) struct InterruptibleStore(pub(crate) Arc<dyn EventStore>);

#[async_trait]
impl EventStore for InterruptibleStore {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        interruptible().await;
        let appended = self.0.append(request).await;
        interruptible().await;
        appended
    }

    async fn read_stream(&self, stream: StreamId, after: Version, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        interruptible().await;
        self.0.read_stream(stream, after, max).await
    }

    async fn read_all(&self, after: Position, max: usize, filter: &EventFilter) -> Result<Page, PortError> {
        interruptible().await;
        self.0.read_all(after, max, filter).await
    }

    async fn head(&self) -> Result<Position, PortError> {
        self.0.head().await
    }

    async fn beyond(&self, position: Position) -> Position {
        self.0.beyond(position).await
    }
}
