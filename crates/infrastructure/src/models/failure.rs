//! Classifies provider failures.

use std::time::Duration;

use devskyy_application::models::ModelError;
use reqwest::StatusCode;
use serde::Deserialize;

use super::endpoint::Endpoint;

/// Error types and codes that resemble rate limits, but only pass once a bill is paid.
const UNPAID: [&str; 4] =
    ["insufficient_quota", "billing_hard_limit_reached", "enforced_spend_limit_reached", "billing_error"];

/// Error types and codes for a request that, with room for the answer, exceeds the model's context.
const TOO_LONG: [&str; 3] = ["context_length_exceeded", "exceed_context_size_error", "request_too_large"];
/// Messages for the same, from providers without a code.
const SAYS_TOO_LONG: [&str; 3] = ["prompt is too long", "exceed context limit", "maximum context length"];

/// The relevant members of an error in both APIs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fault {
    #[serde(rename = "type")]
    kind: Option<String>,
    message: Option<String>,
    code: Option<serde_json::Value>,
    details: Option<Details>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    error_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Envelope {
    Described { error: Fault },
    Said { error: String },
}

impl Fault {
    /// Parses an error's body; an unknown format is quoted.
    pub(super) fn read(body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(Envelope::Described { error }) => error,
            Ok(Envelope::Said { error }) => Self { message: Some(error), ..Self::default() },
            Err(_) => Self { message: Some(String::from_utf8_lossy(body).into_owned()), ..Self::default() },
        }
    }

    fn names(&self, names: &[&str]) -> bool {
        let code = self.code.as_ref().and_then(serde_json::Value::as_str);
        let deeper = self.details.as_ref().and_then(|details| details.error_code.as_deref());
        [self.kind.as_deref(), code, deeper].into_iter().flatten().any(|name| names.contains(&name))
    }

    /// Whether the request exceeds the model's context.
    fn too_long(&self) -> bool {
        let says = |message: &String| SAYS_TOO_LONG.iter().any(|words| message.contains(words));
        self.names(&TOO_LONG) || self.message.as_ref().is_some_and(says)
    }

    /// Whether the provider requires the newer name of the output limit.
    pub(super) fn wants_newer_limit(&self) -> bool {
        self.message.as_deref().is_some_and(|message| message.contains("max_completion_tokens"))
    }

    /// Whether the provider may reject the requested form of the answer, or its schema.
    pub(super) fn refuses_form(&self) -> bool {
        self.message.as_deref().is_some_and(|message| {
            let message = message.to_ascii_lowercase();
            ["schema", "response_format", "response format", "output_config", "output_format"]
                .iter()
                .any(|form| message.contains(form))
        })
    }

    /// The error of a response with a status.
    pub(super) fn with_status(self, status: StatusCode, wait: Option<Duration>, endpoint: &Endpoint) -> ModelError {
        let said = endpoint.told(self.message.as_deref().unwrap_or_default());
        let message = format!("it answered {}{}{said}", status.as_u16(), if said.is_empty() { "" } else { ": " });
        let refused = |message| ModelError::Refused { status: Some(status.as_u16()), message };
        match status {
            _ if self.names(&UNPAID) => refused(message),
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY
                if self.too_long() =>
            {
                ModelError::TooLong { message }
            }
            StatusCode::TOO_MANY_REQUESTS => ModelError::RateLimited { retry_after: wait },
            // Some providers quote part of an unknown key.
            StatusCode::UNAUTHORIZED => refused("it does not accept the key, or wants one".to_owned()),
            StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::TOO_EARLY => {
                ModelError::Unavailable { message, retry_after: wait }
            }
            status if status.is_server_error() => ModelError::Unavailable { message, retry_after: wait },
            status if status.is_redirection() => {
                refused(format!("it answered {}, which is not followed", status.as_u16()))
            }
            _ => refused(message),
        }
    }

    /// The error of an event in the middle of an answer.
    pub(super) fn in_stream(self, endpoint: &Endpoint) -> ModelError {
        let message = endpoint.told(self.message.as_deref().unwrap_or("it broke off"));
        let class = |names: &[&str]| self.names(names);
        if self.too_long() {
            return ModelError::TooLong { message };
        }
        if class(&UNPAID)
            || class(&["invalid_request_error", "authentication_error", "permission_error", "not_found_error"])
        {
            return ModelError::Refused { status: None, message };
        }
        if class(&["rate_limit_error", "rate_limit_exceeded"]) {
            return ModelError::RateLimited { retry_after: None };
        }
        ModelError::Unavailable { message, retry_after: None }
    }
}

/// A connection that failed or broke.
pub(super) fn unavailable(message: &str) -> ModelError {
    ModelError::Unavailable { message: message.to_owned(), retry_after: None }
}

/// An error that is not retryable.
pub(super) fn refused(message: impl Into<String>) -> ModelError {
    ModelError::Refused { status: None, message: message.into() }
}
