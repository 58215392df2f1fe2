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

/// Reads an answer to its end and judges it; what was sent in secret is taken out.
pub(super) async fn judge(
    response: Response,
    effect: Effect,
    now: DateTime<Utc>,
    redaction: &Redaction,
) -> Result<Json, ToolError> {
    let (status, headers) = (response.status(), response.headers().clone());
    if status.is_success() {
        let body = read(response, effect).await?;
        return Ok(redaction.document(result(status, &headers, &body)));
    }
    let said = read(response, effect).await.unwrap_or_default();
    let said = redaction.text(String::from_utf8_lossy(&said).into_owned());
    let said: String = said.chars().filter(|c| !c.is_control()).take(EXCERPT).collect();
    let message = format!("the service answered {status}{}{said}", if said.is_empty() { "" } else { ": " });
    Err(failure(status, effect, message, retry_after(&headers, now)))
}

fn failure(status: StatusCode, effect: Effect, message: String, retry_after: Option<Duration>) -> ToolError {
    let code = "tool.http_status".to_owned();
    match status {
        StatusCode::TOO_MANY_REQUESTS => ToolError::Transient { code, message, retry_after },
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

/// Reads a bounded body.
async fn read(mut response: Response, effect: Effect) -> Result<Vec<u8>, ToolError> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > MAX_BODY => {
                return Err(permanent("tool.http_too_large", format!("the answer is longer than {MAX_BODY} bytes")));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(_) => {
                let (code, message) = ("tool.http_cut_off".to_owned(), "the answer was cut off".to_owned());
                return Err(match effect {
                    Effect::ReadOnly => ToolError::Transient { code, message, retry_after: None },
                    Effect::Idempotent | Effect::Unsafe => ToolError::OutcomeUnknown { code, message },
                });
            }
        }
    }
}

/// `{status, headers, body}`; the body is a document where the service says so, and else text.
fn result(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Json {
    let shown = SHOWN.iter().filter_map(|name| {
        let value = headers.get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), Json::from(value)))
    });
    Json::Object(BTreeMap::from([
        ("status".to_owned(), Json::from(i64::from(status.as_u16()))),
        ("headers".to_owned(), shown.collect()),
        ("body".to_owned(), content(headers, body)),
    ]))
}

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
