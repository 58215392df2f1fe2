//! Which pages of other origins may call (the CORS protocol of the Fetch standard). Never with credentials: the
//! platform uses no cookies.

use actix_web::{
    Error, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN,
            VARY,
        },
    },
    middleware::Next,
    web::Data,
};

use super::{dress::Dress, routes::Routes};
use crate::settings::{Origins, Settings};

/// Request headers that pages may send beside the safelisted ones.
const ALLOWED: &str = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, \
                       X-API-Key, X-Request-Id, traceparent";
/// Response headers that pages may read beside the safelisted ones.
const EXPOSED: &str = "ETag, Link, Location, Allow, Deprecation, RateLimit, RateLimit-Policy, Retry-After, Sunset, \
                       WWW-Authenticate, X-Request-Id";
/// Seconds a browser may cache the response to a preflight request.
const REMEMBERED: &str = "7200";

/// Answers preflight requests and marks responses that pages of allowed origins may read.
pub(crate) async fn cors(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let Some(allowed) = allowed(&request) else { return Ok(next.call(request).await?.map_into_left_body()) };
    Dress::add(&request, ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if let Some(answer) = preflight(&request) {
        return Ok(request.into_response(answer).map_into_right_body());
    }
    Dress::add(&request, ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    Ok(next.call(request).await?.map_into_left_body())
}

/// The allowed origin for the calling page; `None` if there is no page or it may not call.
fn allowed(request: &ServiceRequest) -> Option<HeaderValue> {
    let origins = &request.app_data::<Data<Settings>>()?.origins;
    if matches!(origins, Origins::Listed(_)) {
        Dress::add(request, VARY, HeaderValue::from_static("Origin"));
    }
    origins.answer(request.headers().get(ORIGIN)?)
}

/// The response to a preflight request; `None` if the request is none, or the address does not exist.
fn preflight(request: &ServiceRequest) -> Option<HttpResponse> {
    if request.method() != Method::OPTIONS || !request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    let methods = request.app_data::<Data<Routes>>()?.allowed(request.path())?;
    let mut answer = HttpResponse::NoContent();
    answer
        .insert_header((ACCESS_CONTROL_ALLOW_METHODS, methods))
        .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED))
        .insert_header((ACCESS_CONTROL_MAX_AGE, REMEMBERED))
        .append_header((VARY, "Access-Control-Request-Method, Access-Control-Request-Headers"));
    Some(answer.finish())
}
