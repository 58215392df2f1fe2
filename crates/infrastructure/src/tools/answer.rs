//! Converts a service's response to the result of a call, or to an error by class.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use devskyy_application::workflow::ToolError;
use devskyy_domain::{kernel::Json, workflow::Effect};
use reqwest::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
};

use super::{builtin::permanent, document::Strict, redaction::Redaction};

/// Maximum bytes of a response body.
const MAX_BODY: usize = 1 << 20;
/// Maximum characters of a response in an error message.
const EXCERPT: usize = 200;
/// Maximum delay that a service may request.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);
/// Response headers included in results.
const SHOWN: [&str; 5] = ["content-type", "etag", "last-modified", "link", "location"];

/// The context in which a response is judged.
pub(super) struct Asked {
    pub(super) effect: Effect,
    /// Whether this is a repeated attempt under the same operation id.
    pub(super) repeated: bool,
    pub(super) now: DateTime<Utc>,
}

/// Reads the whole response and judges it; secrets that were sent are redacted.
pub(super) async fn judge(response: Response, asked: &Asked, redaction: &Redaction) -> Result<Json, ToolError> {
    let (status, headers) = (response.status(), response.headers().clone());
    if status.is_success() {
        let body = match read(response).await {
            Ok(body) => content(&headers, &body),
            // A call that had its effect has not failed because its response is too large.
            Err(Unread::TooLarge) if asked.effect != Effect::ReadOnly => return Ok(cut(status, &headers, redaction)),
            Err(unread) => return Err(unread.failure(asked.effect)),
        };
        return Ok(redaction.document(result(status, &headers, body)));
    }
    let said = read(response).await.unwrap_or_default();
    let said = redaction.excerpt(&String::from_utf8_lossy(&said), EXCERPT);
    let message = format!("the service answered {status}{}{said}", if said.is_empty() { "" } else { ": " });
    Err(failure(status, asked, message, retry_after(&headers, asked.now)))
}

fn failure(status: StatusCode, asked: &Asked, message: String, retry_after: Option<Duration>) -> ToolError {
    let (code, effect) = ("tool.http_status".to_owned(), asked.effect);
    match status {
        // Too early (RFC 8470, section 5.2): the service refuses to process a request that might be replayed.
        StatusCode::TOO_MANY_REQUESTS | StatusCode::TOO_EARLY => ToolError::Transient { code, message, retry_after },
        // The first attempt is still in progress there (draft-ietf-httpapi-idempotency-key-header, section 2.6).
        StatusCode::CONFLICT if effect == Effect::Idempotent && asked.repeated => {
            ToolError::Transient { code, message, retry_after }
        }
        // With `Retry-After` the service has not begun. Without it, it may be a proxy whose service failed half-way.
        StatusCode::SERVICE_UNAVAILABLE if retry_after.is_some() => ToolError::Transient { code, message, retry_after },
        status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => match effect {
            Effect::ReadOnly | Effect::Idempotent => ToolError::Transient { code, message, retry_after },
            // A service that failed half-way does not report how far it got.
            Effect::Unsafe => ToolError::OutcomeUnknown { code, message },
        },
        status if status.is_redirection() => permanent("tool.http_redirect", format!("{message} (not followed)")),
        _ => ToolError::Permanent { code, message },
    }
}

/// Why a body could not be read.
enum Unread {
    TooLarge,
    CutOff,
}

impl Unread {
    fn failure(self, effect: Effect) -> ToolError {
        match self {
            Self::TooLarge => permanent("tool.http_too_large", format!("the answer is longer than {MAX_BODY} bytes")),
            Self::CutOff => {
                let (code, message) = ("tool.http_cut_off".to_owned(), "the answer was cut off".to_owned());
                match effect {
                    Effect::ReadOnly => ToolError::Transient { code, message, retry_after: None },
                    Effect::Idempotent | Effect::Unsafe => ToolError::OutcomeUnknown { code, message },
                }
            }
        }
    }
}

/// Reads a body up to the limit.
async fn read(mut response: Response) -> Result<Vec<u8>, Unread> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| Unread::CutOff)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(Unread::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The result of a call whose response is too large: `{status, headers, body: null, note}`.
fn cut(status: StatusCode, headers: &HeaderMap, redaction: &Redaction) -> Json {
    let mut result = result(status, headers, Json::Null);
    if let Json::Object(members) = &mut result {
        let note = format!("the call was made; its answer is longer than {MAX_BODY} bytes and was cut");
        members.insert("note".to_owned(), Json::from(note));
    }
    redaction.document(result)
}

/// `{status, headers, body}`.
fn result(status: StatusCode, headers: &HeaderMap, body: Json) -> Json {
    let shown = SHOWN.iter().filter_map(|name| {
        let value = headers.get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), Json::from(value)))
    });
    Json::Object(BTreeMap::from([
        ("status".to_owned(), Json::from(i64::from(status.as_u16()))),
        ("headers".to_owned(), shown.collect()),
        ("body".to_owned(), body),
    ]))
}

/// The content: a document if the media type is JSON, else text.
fn content(headers: &HeaderMap, body: &[u8]) -> Json {
    if body.is_empty() {
        return Json::Null;
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if (kind == "application/json" || kind.ends_with("+json"))
        && let Ok(Strict(document)) = serde_json::from_slice(body)
    {
        return document;
    }
    Json::from(String::from_utf8_lossy(body).into_owned())
}

/// The requested delay, in seconds or as a date (RFC 9110, section 10.2.3); an hour at most.
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let asked = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match asked.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => (DateTime::parse_from_rfc2822(asked).ok()?.to_utc() - now).to_std().unwrap_or_default(),
    };
    Some(wait.min(MAX_RETRY_AFTER))
}
