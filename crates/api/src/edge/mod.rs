//! What happens around every request: an id, a span, safe headers, one form for every failure.

mod authenticate;
mod bounded;
mod cors;
mod dress;
mod headers;
mod identify;
mod in_flight;
mod limit;
mod retirement;
mod routes;
mod unmatched;
mod unreadable;
mod unsent;
mod watch;

use std::{panic::AssertUnwindSafe, time::Instant};

use actix_web::{
    Error, HttpMessage, HttpResponse, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, STRICT_TRANSPORT_SECURITY},
    },
    middleware::Next,
};
use futures_util::FutureExt;
use tracing::Instrument;

pub(crate) use self::{
    authenticate::{Credential, authenticate},
    bounded::bounded,
    cors::cors,
    headers::secure,
    in_flight::one_at_a_time,
    limit::limit,
    routes::Routes,
    unmatched::unmatched,
    watch::watch,
};
use self::{dress::Dress, headers::HSTS};
pub use self::{in_flight::InFlight, unreadable::answer_to_unreadable};
use crate::{
    extract::{RequestContext, over_tls},
    problem::{Problem, platform, request},
};

/// The outermost layer.
pub(crate) async fn edge(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let context = identify::identify(&request);
    let (method, started) = (request.method().clone(), Instant::now());
    if method == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    request.extensions_mut().insert(context.clone());
    let dress = Dress::lay_out(&request);
    if over_tls(request.request()) {
        Dress::add(&request, STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    retirement::announce(&request);
    let span = spanned(&method, &context);
    let outcome = AssertUnwindSafe(next.call(request)).catch_unwind().instrument(span.clone()).await;
    let _entered = span.enter();
    let answer = match outcome {
        Ok(Ok(answer)) if method == Method::HEAD => {
            finish(answer, &context, &dress).map_body(|_, body| unsent::unsent(body.size()))
        }
        Ok(Ok(answer)) => finish(answer, &context, &dress),
        Ok(Err(error)) => return Err(dressed(problem_of(&error), &context, &dress)),
        Err(panic) => {
            tracing::error!(panic = reason(panic.as_ref()), "a request handler panicked");
            return Err(dressed(of_status(StatusCode::INTERNAL_SERVER_ERROR), &context, &dress));
        }
    };
    tracing::info!(
        route = answer.request().match_pattern().as_deref().unwrap_or("unmatched"),
        status = answer.status().as_u16(),
        elapsed_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
    Ok(answer)
}

/// A failure with every header it would have as a response.
fn dressed(problem: Problem, context: &RequestContext, dress: &Dress) -> Error {
    let problem = problem.within(&context.request_id);
    dress.take().into_iter().fold(problem, |problem, (name, value)| problem.header(name, value)).into()
}

/// The fields of every log line of a request.
fn spanned(method: &Method, context: &RequestContext) -> tracing::Span {
    let RequestContext { request_id, correlation_id, .. } = context;
    tracing::info_span!("http.request", %method, %request_id, %correlation_id)
}

/// Gives a response its last form.
fn finish(
    answer: ServiceResponse<impl MessageBody + 'static>,
    context: &RequestContext,
    dress: &Dress,
) -> ServiceResponse<BoxBody> {
    let failure = failure(answer.response()).map(|problem| problem.within(&context.request_id));
    let mut answer = match failure {
        Some(problem) => answer.into_response(problem.error_response()),
        None => answer.map_into_boxed_body(),
    };
    let headers = answer.headers_mut();
    dress.put_on(headers);
    secure(headers, &context.request_id);
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding == "identity") {
        headers.remove(CONTENT_ENCODING);
    }
    answer
}

/// The problem behind a response, if it is a failure; also for failures of the framework.
fn failure<B>(answer: &HttpResponse<B>) -> Option<Problem> {
    if let Some(error) = answer.error() {
        return Some(problem_of(error));
    }
    let rendered = answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().ends_with(b"json"));
    let failed = answer.status().is_client_error() || answer.status().is_server_error();
    (failed && !rendered).then(|| of_status(answer.status()))
}

fn problem_of(error: &Error) -> Problem {
    error.as_error::<Problem>().cloned().unwrap_or_else(|| of_status(error.as_response_error().status_code()))
}

fn of_status(status: StatusCode) -> Problem {
    match status {
        StatusCode::NOT_FOUND => Problem::new(request::ROUTE_NOT_FOUND, "there is no such path"),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(request::BODY_TOO_LARGE, "the body is too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Problem::new(request::UNSUPPORTED_MEDIA_TYPE, "the media type is not supported")
        }
        status if status.is_client_error() => Problem::new(request::BODY_UNREADABLE, "the request could not be read"),
        _ => Problem::new(platform::INTERNAL, "internal error; the server's log has the details under this request id"),
    }
}

fn reason(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}
