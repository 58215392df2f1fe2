//! From the answer of a service to the result of a call, or to the class of its failure.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use devskyy_application::workflow::ToolError;
use devskyy_domain::{kernel::Json, workflow::Effect};
use reqwest::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
};

use super::{builtin::permanent, document::Strict, redaction::Redaction};

/// Bytes of an answer.
const MAX_BODY: usize = 1 << 20;
/// Characters of an answer that a message shows.
const EXCERPT: usize = 200;
/// The longest a service may ask to wait.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);
/// Headers that workflows see.
const SHOWN: [&str; 5] = ["content-type", "etag", "last-modified", "link", "location"];

/// What an answer is judged by, beside itself.
pub(super) struct Asked {
    pub(super) effect: Effect,
    /// Whether the same was asked before, under the same operation id.
    pub(super) repeated: bool,
    pub(super) now: DateTime<Utc>,
}

/// Reads an answer to its end and judges it; what was sent in secret is taken out.
pub(super) async fn judge(response: Response, asked: &Asked, redaction: &Redaction) -> Result<Json, ToolError> {
    let (status, headers) = (response.status(), response.headers().clone());
    if status.is_success() {
        let body = match read(response).await {
            Ok(body) => content(&headers, &body),
            // What has happened has not failed for want of room for what was said about it.
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
        // Too early (RFC 8470, section 5.2): the service will not begin what may be sent again.
        StatusCode::TOO_MANY_REQUESTS | StatusCode::TOO_EARLY => ToolError::Transient { code, message, retry_after },
        // The first try under the same key is still under way there (draft-ietf-httpapi-idempotency-key-header, section 2.6).
        StatusCode::CONFLICT if effect == Effect::Idempotent && asked.repeated => {
            ToolError::Transient { code, message, retry_after }
        }
        // Whoever says when to come again has not begun. Without that it may be a proxy whose service broke half-way.
        StatusCode::SERVICE_UNAVAILABLE if retry_after.is_some() => ToolError::Transient { code, message, retry_after },
        status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => match effect {
            Effect::ReadOnly | Effect::Idempotent => ToolError::Transient { code, message, retry_after },
            // A service that failed half-way does not tell how far it came.
            Effect::Unsafe => ToolError::OutcomeUnknown { code, message },
        },
        status if status.is_redirection() => permanent("tool.http_redirect", format!("{message} (not followed)")),
        _ => ToolError::Permanent { code, message },
    }
}

/// Why a body is not there.
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

/// Reads a bounded body.
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

/// The result of a call whose answer has no room: `{status, headers, body: null, note}`.
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

/// What was said: a document where the service says so, and else text.
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

/// How long a service asks to be left alone, in seconds or until a date (RFC 9110, section 10.2.3); an hour at most.
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let asked = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match asked.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => (DateTime::parse_from_rfc2822(asked).ok()?.to_utc() - now).to_std().unwrap_or_default(),
    };
    Some(wait.min(MAX_RETRY_AFTER))
}
