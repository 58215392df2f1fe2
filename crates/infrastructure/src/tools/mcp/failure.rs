//! Classifies errors of a session with a server.

use std::{error::Error, fmt::Display, time::Duration};

use chrono::{DateTime, Utc};
use devskyy_application::workflow::ToolError;
use devskyy_domain::workflow::Effect;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use rmcp::{
    model::{ErrorCode, ErrorData},
    service::{ClientInitializeError, ServiceError},
    transport::streamable_http_client::StreamableHttpError,
};

use super::super::{answer::retry_after, builtin::permanent, http::refusal, redaction::Redaction};

type Sending = StreamableHttpError<reqwest::Error>;

/// Maximum characters of a server's text in an error message.
const EXCERPT: usize = 200;

/// The timeout expired, before or after the call was sent.
pub(super) fn timed_out(sent: bool) -> ToolError {
    let (code, message) = ("tool.mcp_timeout".to_owned(), "the server did not answer in time".to_owned());
    if sent {
        ToolError::OutcomeUnknown { code, message }
    } else {
        ToolError::Transient { code, message, retry_after: None }
    }
}

/// The session could not be opened, so nothing was called.
pub(super) fn opening(error: &ClientInitializeError, redaction: &Redaction, now: DateTime<Utc>) -> ToolError {
    match error {
        ClientInitializeError::TransportError { error, .. } => {
            sending(error.error.as_ref(), Effect::ReadOnly, redaction, now)
        }
        ClientInitializeError::JsonRpcError(said) => refused(said, Effect::ReadOnly, redaction),
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => opening(fallback, redaction, now),
        ClientInitializeError::ConnectionClosed(_) | ClientInitializeError::Cancelled => {
            transient("the server ended the conversation", None)
        }
        other => permanent("tool.mcp_protocol", excerpt(other, redaction)),
    }
}

/// The session was open, but the call returned no result.
pub(super) fn calling(error: &ServiceError, effect: Effect, redaction: &Redaction, now: DateTime<Utc>) -> ToolError {
    match error {
        ServiceError::McpError(said) => refused(said, effect, redaction),
        ServiceError::TransportSend(error) => sending(error.error.as_ref(), effect, redaction, now),
        ServiceError::TransportClosed | ServiceError::Cancelled { .. } | ServiceError::Timeout { .. } => cut_off(),
        other => unclear("tool.mcp_protocol", excerpt(other, redaction), effect),
    }
}

/// Errors that mean that a call was not begun: it is malformed, the method or tool does not exist, or the protocol
/// versions do not match (JSON-RPC 2.0, section 5.1, and the Model Context Protocol).
const NOT_BEGUN: [ErrorCode; 7] = [
    ErrorCode::PARSE_ERROR,
    ErrorCode::INVALID_REQUEST,
    ErrorCode::METHOD_NOT_FOUND,
    ErrorCode::INVALID_PARAMS,
    ErrorCode::HEADER_MISMATCH,
    ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY,
    ErrorCode::UNSUPPORTED_PROTOCOL_VERSION,
];

fn refused(said: &ErrorData, effect: Effect, redaction: &Redaction) -> ToolError {
    let message = format!("the server refused: {}", excerpt(&said.message, redaction));
    match said.code {
        code if NOT_BEGUN.contains(&code) => permanent("tool.mcp_refused", message),
        ErrorCode::INTERNAL_ERROR => half_way(message, effect, None),
        // Other codes are defined by each server, so it is unknown how far it got.
        _ => unclear("tool.mcp_refused", message, effect),
    }
}

/// The call was sent, and the response does not show its outcome.
pub(super) fn unclear(code: &str, message: impl Into<String>, effect: Effect) -> ToolError {
    match effect {
        Effect::ReadOnly | Effect::Idempotent => permanent(code, message),
        Effect::Unsafe => ToolError::OutcomeUnknown { code: code.to_owned(), message: message.into() },
    }
}

fn sending(
    error: &(dyn Error + Send + Sync + 'static),
    effect: Effect,
    redaction: &Redaction,
    now: DateTime<Utc>,
) -> ToolError {
    let Some(error) = error.downcast_ref::<Sending>() else { return cut_off() };
    match error {
        Sending::Client(error) => unsent(error, effect),
        Sending::HttpStatus(status) => {
            let wait = status.retry_after.as_deref().and_then(|asked| asked_wait(asked, now));
            let message = format!("the server answered {}", status.status);
            match status.status {
                429 => transient(&message, wait),
                // Without `Retry-After` it may be a proxy whose server failed half-way; with it, nothing has begun.
                503 if wait.is_some() => transient(&message, wait),
                _ => half_way(message, effect, wait),
            }
        }
        // The server does not know the session, so it did nothing in it.
        Sending::SessionExpired | Sending::ReinitializationFailed(_) => transient("the session ended", None),
        Sending::AuthRequired(_) | Sending::InsufficientScope(_) => {
            permanent("tool.mcp_unauthorized", "the server does not accept how one proves oneself to it")
        }
        Sending::ResponseBodyTooLarge { max_size } => {
            unclear("tool.mcp_too_large", format!("the answer is longer than {max_size} bytes"), effect)
        }
        Sending::UnexpectedServerResponse(_) | Sending::UnexpectedContentType(_) | Sending::Deserialize(_) => {
            unclear("tool.mcp_protocol", excerpt(error, redaction), effect)
        }
        Sending::ReservedHeaderConflict(_) | Sending::MissingSessionIdInResponse => {
            permanent("tool.mcp_protocol", excerpt(error, redaction))
        }
        _ => cut_off(),
    }
}

/// The request failed below the protocol.
fn unsent(error: &reqwest::Error, effect: Effect) -> ToolError {
    match refusal(error) {
        Some(refused) => permanent("tool.egress_refused", refused.to_string()),
        None if error.is_connect() => transient("the server cannot be reached", None),
        None => match error.status() {
            Some(status) => half_way(format!("the server answered {status}"), effect, None),
            None => cut_off(),
        },
    }
}

fn asked_wait(asked: &str, now: DateTime<Utc>) -> Option<Duration> {
    let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(asked).ok()?)]);
    retry_after(&headers, now)
}

/// A server that failed half-way does not report how far it got.
fn half_way(message: String, effect: Effect, retry_after: Option<Duration>) -> ToolError {
    let code = "tool.mcp_failed".to_owned();
    match effect {
        Effect::ReadOnly | Effect::Idempotent => ToolError::Transient { code, message, retry_after },
        Effect::Unsafe => ToolError::OutcomeUnknown { code, message },
    }
}

fn transient(message: &str, retry_after: Option<Duration>) -> ToolError {
    ToolError::Transient { code: "tool.mcp_unavailable".to_owned(), message: message.to_owned(), retry_after }
}

fn cut_off() -> ToolError {
    let (code, message) = ("tool.mcp_cut_off", "the conversation ended before the server answered");
    ToolError::OutcomeUnknown { code: code.to_owned(), message: message.to_owned() }
}

/// The beginning of a message, redacted.
pub(super) fn excerpt(said: &impl Display, redaction: &Redaction) -> String {
    redaction.excerpt(&said.to_string(), EXCERPT)
}
