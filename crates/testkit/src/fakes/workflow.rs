//! A small independent implementation of the workflow language; the subset it supports behaves like the real one.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    net::IpAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::workflow::{
    DestinationRefused, Destinations, EvaluationError, Expressions, SchemaViolation, Schemas, SyntaxError, ToolCall,
    ToolDescription, ToolDescriptions, ToolError, ToolExecutor,
};
use devskyy_domain::{
    kernel::{
        Json,
        ids::{OperationId, ProjectId},
    },
    workflow::{Builtin, McpServer, Tool},
};

/// Maximum number of violations reported at once.
const MOST: usize = 20;

/// Supports literals, paths, `path == "text"`, `error` and `empty`; templates contain paths in double braces.
#[derive(Debug)]
pub struct PathExpressions;

fn failed(message: &str) -> EvaluationError {
    EvaluationError { message: message.to_owned() }
}

fn path(program: &str, document: &Json) -> Result<Json, EvaluationError> {
    let names = program.trim().trim_start_matches('.').split('.').filter(|name| !name.is_empty());
    names.into_iter().try_fold(document.clone(), |found, name| match found {
        Json::Null => Ok(Json::Null),
        Json::Object(members) => Ok(members.get(name).cloned().unwrap_or_default()),
        _ => Err(failed("only objects have members")),
    })
}

#[async_trait]
impl Expressions for PathExpressions {
    async fn check_program(&self, program: &str) -> Result<(), SyntaxError> {
        if program.contains("((") { Err(SyntaxError { message: "unbalanced".into() }) } else { Ok(()) }
    }

    async fn check_template(&self, template: &str) -> Result<(), SyntaxError> {
        let closed = template.split("{{").skip(1).all(|part| part.contains("}}"));
        if closed { Ok(()) } else { Err(SyntaxError { message: "unclosed".into() }) }
    }

    async fn evaluate(&self, program: &str, input: &Json) -> Result<Json, EvaluationError> {
        self.check_program(program).await.map_err(|error| EvaluationError { message: error.message })?;
        if program == "error" || program == "empty" {
            return Err(failed("it gives no result"));
        }
        if let Ok(literal) = serde_json::from_str(program) {
            return Ok(literal);
        }
        if program.contains(',') {
            return Err(failed("it gives several results"));
        }
        match program.split_once(" == ") {
            Some((left, right)) => Ok((path(left, input)? == Json::from(right.trim_matches('"'))).into()),
            None => path(program, input),
        }
    }

    async fn render(&self, template: &str, context: &Json) -> Result<String, EvaluationError> {
        self.check_template(template).await.map_err(|error| EvaluationError { message: error.message })?;
        let mut parts = template.split("{{");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once("}}").unwrap_or_default();
            match path(name, context)? {
                Json::Null => return Err(failed("a name is unknown")),
                Json::String(value) => text.push_str(&value),
                value => text.push_str(&serde_json::to_string(&value).map_err(|error| failed(&error.to_string()))?),
            }
            text.push_str(rest);
        }
        Ok(text)
    }
}

/// Supports the keywords `required`, `properties` and `type` of JSON Schema.
#[derive(Debug)]
pub struct PlainSchemas;

fn told(pointer: &str, message: impl Into<String>) -> SchemaViolation {
    SchemaViolation { pointer: pointer.to_owned(), message: message.into() }
}

fn is_a(kind: &str, document: &Json) -> bool {
    match document {
        Json::Null => kind == "null",
        Json::Bool(_) => kind == "boolean",
        Json::Number(_) => matches!(kind, "number" | "integer"),
        Json::String(_) => kind == "string",
        Json::Array(_) => kind == "array",
        Json::Object(_) => kind == "object",
    }
}

fn broken(schema: &Json, document: &Json, at: &str, found: &mut Vec<SchemaViolation>) {
    if let Some(kind) = schema.get("type").and_then(Json::as_str).filter(|kind| !is_a(kind, document)) {
        found.push(told(at, format!("must be of type `{kind}`")));
    }
    let names = schema.get("required").and_then(Json::as_array).unwrap_or_default();
    let missing = names.iter().filter_map(Json::as_str).filter(|name| document.get(name).is_none());
    found.extend(missing.map(|name| told(at, format!("`{name}` is required"))));
    for (name, schema) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
        if let Some(member) = document.get(name) {
            broken(schema, member, &format!("{at}/{name}"), found);
        }
    }
}

fn none_of(mut found: Vec<SchemaViolation>) -> Result<(), Vec<SchemaViolation>> {
    found.truncate(MOST);
    if found.is_empty() { Ok(()) } else { Err(found) }
}

#[async_trait]
impl Schemas for PlainSchemas {
    async fn check(&self, schema: &Json) -> Result<(), Vec<SchemaViolation>> {
        let wrong = schema.get("required").filter(|names| names.as_array().is_none());
        none_of(wrong.map(|_| told("/required", "must be an array")).into_iter().collect())
    }

    async fn validate(&self, schema: &Json, document: &Json) -> Result<(), Vec<SchemaViolation>> {
        let mut found = Vec::new();
        broken(schema, document, "", &mut found);
        none_of(found)
    }
}

/// Allows requests to names over `https`.
#[derive(Debug)]
pub struct NamedDestinations;

impl Destinations for NamedDestinations {
    fn check(&self, template: &str) -> Result<(), DestinationRefused> {
        let refused = |message: &str| DestinationRefused { message: message.to_owned() };
        if template.starts_with("{{") {
            return Ok(());
        }
        let rest = template.strip_prefix("https://").ok_or_else(|| refused("only https is spoken"))?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.trim_matches(['[', ']']);
        if authority.contains('@') || host.is_empty() || host.parse::<IpAddr>().is_ok() {
            return Err(refused("only names are reached"));
        }
        Ok(())
    }
}

/// Behaves as the URL of a call indicates, and records every call that reached the service.
#[derive(Debug, Default)]
pub struct ScriptedTools {
    made: Mutex<Vec<(String, OperationId)>>,
    described: AtomicUsize,
}

impl ScriptedTools {
    /// Every call that reached the service, in order.
    pub fn made(&self) -> Vec<(String, OperationId)> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Number of calls that reached the service, per operation.
    pub fn per_operation(&self) -> BTreeMap<OperationId, usize> {
        let mut counts = BTreeMap::new();
        self.made().into_iter().for_each(|(_, operation)| *counts.entry(operation).or_insert(0) += 1);
        counts
    }

    fn reach(&self, address: &str, operation: OperationId) -> usize {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.push((address.to_owned(), operation));
        made.iter().filter(|(_, other)| *other == operation).count()
    }
}

/// Yields once, so that the caller can be interrupted here.
pub async fn interruptible() {
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

/// `template` is rendered; of the others only the call itself matters.
async fn builtin(builtin: Builtin, arguments: Json) -> Result<Json, ToolError> {
    let (Builtin::Template, Some(template)) = (builtin, arguments.get("template").and_then(Json::as_str)) else {
        return Ok(arguments);
    };
    let rendered = PathExpressions.render(template, arguments.get("context").unwrap_or(&Json::Null)).await;
    let failed = |error: EvaluationError| ToolError::Permanent { code: "tool.template".into(), message: error.message };
    rendered.map(Json::String).map_err(failed)
}

#[async_trait]
impl ToolExecutor for ScriptedTools {
    async fn call(&self, call: ToolCall) -> Result<Json, ToolError> {
        let (url, schema) = match call.tool {
            Tool::Builtin { builtin: which } => return builtin(which, call.arguments).await,
            Tool::Http { request, input_schema, .. } => (request.url, input_schema),
            Tool::Mcp { server, input_schema, .. } => (server.url, input_schema),
        };
        let address = url.as_str();
        let (code, message) = ("tool.scripted".to_owned(), address.to_owned());
        let broken = match schema {
            Some(schema) => PlainSchemas.validate(&schema, &call.arguments).await.is_err(),
            None => false,
        };
        if broken || address == "forbidden" {
            return Err(ToolError::Permanent { code, message });
        }
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
            "large" => Ok([("of".to_owned(), call.arguments), ("text".to_owned(), "x".repeat(100 * 1024).into())]
                .into_iter()
                .collect()),
            "huge" => Ok("x".repeat(2 * 1024 * 1024).into()),
            _ => Err(ToolError::Permanent { code, message }),
        }
    }
}

#[async_trait]
impl ToolDescriptions for ScriptedTools {
    async fn describe(&self, _: ProjectId, server: &McpServer) -> Result<ToolDescription, ToolError> {
        let (code, message) = ("tool.scripted".to_owned(), server.url.clone());
        match (server.url.as_str(), server.tool.as_str()) {
            ("down", _) => Err(ToolError::Transient { code, message, retry_after: None }),
            (_, "restless") => {
                let times = self.described.fetch_add(1, Ordering::SeqCst);
                let input_schema = format!(r#"{{"type":"object","required":["name-{times}"]}}"#);
                let input_schema = serde_json::from_str(&input_schema).unwrap_or_default();
                Ok(ToolDescription { description: Some(format!("Finds things, take {times}.")), input_schema })
            }
            (_, "find") => Ok(ToolDescription {
                description: Some("Finds things.".to_owned()),
                input_schema: serde_json::from_str(r#"{"type":"object","required":["name"]}"#).unwrap_or_default(),
            }),
            _ => Err(ToolError::Permanent { code, message }),
        }
    }
}
