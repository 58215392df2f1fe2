use actix_web::{
    ResponseError as _,
    body::MessageBody as _,
    http::{
        StatusCode,
        header::{HeaderValue, STRICT_TRANSPORT_SECURITY},
    },
};

use super::headers::HSTS;
use crate::{
    problem::{Problem, platform, request},
    state::ApiState,
};

/// The whole response, head and body, to a request that the HTTP parser refused with this status: a problem document
/// with the headers of every other response. The connection ends with it.
#[must_use]
pub fn answer_to_unreadable(status: StatusCode, state: &ApiState) -> Vec<u8> {
    let (now, id) = (state.clock.now(), state.ids.next().to_string());
    tracing::info!(request_id = id, status = status.as_u16(), "what arrived was no request");
    let mut answer = problem(status).within(&id).error_response();
    if state.settings.over_tls {
        answer.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    let (answer, body) = answer.into_parts();
    let body = body.try_into_bytes().unwrap_or_default();
    let reason = answer.status().canonical_reason().unwrap_or_default();
    let mut text = format!("HTTP/1.1 {} {reason}\r\n", answer.status().as_u16()).into_bytes();
    for (name, value) in answer.headers() {
        text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    let date = now.format("%a, %d %b %Y %H:%M:%S GMT");
    text.extend(format!("connection: close\r\ncontent-length: {}\r\ndate: {date}\r\n\r\n", body.len()).into_bytes());
    text.extend(body);
    text
}

fn problem(status: StatusCode) -> Problem {
    match status {
        StatusCode::REQUEST_TIMEOUT => {
            Problem::new(request::HEAD_TIMEOUT, "the head of the request did not arrive in time")
        }
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            Problem::new(request::HEAD_TOO_LARGE, "the head of the request may have at most 128 KiB")
        }
        status if status.is_client_error() => {
            Problem::new(request::NOT_HTTP, "what arrived is not an HTTP/1.1 request")
        }
        _ => Problem::new(platform::INTERNAL, "internal error; the server's log has the details under this request id"),
    }
}
