//! Renders a templated request.

use std::{collections::BTreeMap, str::FromStr as _};

use devskyy_application::workflow::{ToolCall, ToolError, ToolSecrets};
use devskyy_domain::{
    kernel::Json,
    workflow::{Effect, HttpMethod, HttpRequest},
};
use reqwest::{
    Method, Url,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};

use super::{body::body, builtin::permanent, injection::Injection, redaction::Redaction};
use crate::workflow::SandboxedExpressions;

/// Headers that belong to the connection, or that the platform sets itself.
const RESERVED: [&str; 14] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "idempotency-key",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Maximum bytes of a URL.
const MAX_URL: usize = 8_192;

/// A rendered request.
pub(super) struct Prepared {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<String>,
}

/// Renders the templates of a request.
pub(super) async fn prepare(
    expressions: &SandboxedExpressions,
    secrets: &dyn ToolSecrets,
    call: &ToolCall,
    request: &HttpRequest,
    effect: Effect,
) -> Result<(Prepared, Redaction), ToolError> {
    let context = context(call);
    let url = expressions.render_url(&request.url, &context).await;
    let url = url.map_err(|error| permanent("tool.template", format!("the URL: {}", error.message)))?;
    let url = parse_url(&url)?;
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/*;q=0.9, */*;q=0.8"));
    let mut injection = Injection::new(expressions, secrets, call.project, &url);
    for (name, template) in &request.headers {
        let (name, value) = injection.header(name, template, &context).await?;
        headers.insert(name, value);
    }
    let body = body(&mut injection, call, request, &context).await?;
    let redaction = injection.done();
    if let Some(body) = &body
        && !headers.contains_key(CONTENT_TYPE)
    {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(body.kind));
    }
    // Lets the service recognise a repeated call, whether the platform or a person repeats it.
    if effect != Effect::ReadOnly {
        let (name, value) = (HeaderName::from_static("idempotency-key"), call.operation.to_string());
        headers.insert(
            name,
            HeaderValue::from_str(&value).map_err(|error| permanent("tool.http_header", error.to_string()))?,
        );
    }
    let body = body.map(|body| body.text);
    Ok((Prepared { method: method(request.method), url, headers, body }, redaction))
}

/// The context of a request's templates.
fn context(call: &ToolCall) -> Json {
    let run = Json::Object(BTreeMap::from([("id".to_owned(), Json::from(call.run.to_string()))]));
    Json::Object(BTreeMap::from([
        ("arguments".to_owned(), call.arguments.clone()),
        ("operation_id".to_owned(), Json::from(call.operation.to_string())),
        ("run".to_owned(), run),
    ]))
}

const fn method(method: HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Delete => Method::DELETE,
    }
}

/// Parses and validates a URL.
pub(super) fn parse_url(raw: &str) -> Result<Url, ToolError> {
    let wrong = |why: &str| permanent("tool.http_url", format!("the URL cannot be used: {why}"));
    let raw = raw.trim();
    if raw.len() > MAX_URL {
        return Err(wrong("it is too long"));
    }
    if raw.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(wrong("it contains spaces, control characters or backslashes"));
    }
    let path = raw.split(['?', '#']).next().unwrap_or_default();
    if path.split('/').any(climbs) {
        return Err(wrong("its path climbs (`.` or `..`)"));
    }
    Url::parse(raw).map_err(|error| wrong(&error.to_string()))
}

/// Whether a path segment is `.` or `..`, in any spelling that servers accept.
fn climbs(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// Parses a header and checks that it may be set.
pub(super) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), ToolError> {
    let wrong = |why: &str| permanent("tool.http_header", format!("the header `{name}` {why}"));
    let parsed = HeaderName::from_str(name).map_err(|_| wrong("has no valid name"))?;
    if RESERVED.contains(&parsed.as_str()) {
        return Err(wrong("is set by the platform"));
    }
    let value = HeaderValue::from_str(value).map_err(|_| wrong("holds line breaks or control characters"))?;
    Ok((parsed, value))
}
