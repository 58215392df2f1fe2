use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use actix_web::{
    Error, HttpMessage,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{HeaderName, HeaderValue, RETRY_AFTER},
    },
    middleware::Next,
    web::Data,
};
use devskyy_application::{context::Subject, ports::Clock};
use devskyy_domain::kernel::ids::ApiKeyId;
use uuid::Uuid;

use super::dress::Dress;
use crate::{
    extract::{ClientAddress, Proof},
    limits::{Caller, Kind, Limiter, Standing},
    problem::{Problem, platform},
};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What is served without being counted: probes need the truth, and pages are the same for everyone.
const UNCOUNTED: [&str; 4] = ["/health", "/docs", "/openapi.json", "/.well-known/"];

/// Counts a request for its authenticated caller, or else for its address, and refuses what exceeds the limit
/// (`RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-11, 429 of RFC 6585).
pub(crate) async fn limit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let Some(standing) = counted(&request) else { return Ok(next.call(request).await?.map_into_left_body()) };
    Dress::add(&request, RATE_LIMIT_POLICY, standing.policy.clone());
    Dress::add(&request, RATE_LIMIT, standing.field());
    match standing.wait_s {
        None => Ok(next.call(request).await?.map_into_left_body()),
        Some(seconds) => Ok(request.error_response(too_much(seconds)).map_into_right_body()),
    }
}

/// Refuses a key that has never been proven, from an address that has used up the anonymous limit: checking it would
/// cost a query. The request itself is then counted and refused like any other from there.
pub(super) fn refuse_unproven(request: &ServiceRequest, key: ApiKeyId) -> Option<Problem> {
    let limiter = request.app_data::<Data<Limiter>>()?;
    let now = request.app_data::<Data<Arc<dyn Clock>>>()?.now().timestamp_micros();
    limiter.wait_of_unproven(Uuid::from(key).as_u128(), stranger(request), now).map(too_much)
}

fn too_much(seconds: u32) -> Problem {
    let problem = Problem::new(platform::RATE_LIMITED, format!("too many requests, try again in {seconds} s"));
    problem.header(RETRY_AFTER, HeaderValue::from(seconds))
}

/// Everyone at the address that the request came from.
fn stranger(request: &ServiceRequest) -> Caller {
    let ClientAddress(address) = ClientAddress::of(request.request());
    Caller::at(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
}

fn counted(request: &ServiceRequest) -> Option<Standing> {
    if UNCOUNTED.iter().any(|path| request.path().starts_with(path)) {
        return None;
    }
    let limiter = request.app_data::<Data<Limiter>>()?;
    let clock = request.app_data::<Data<Arc<dyn Clock>>>()?;
    let caller = caller(request);
    let kind = match (caller, request.method()) {
        (Caller::Address(_), _) => Kind::Anonymous,
        (Caller::Proven(_), &Method::GET | &Method::HEAD) => Kind::Read,
        (Caller::Proven(_), _) => Kind::Write,
    };
    limiter.count(caller, kind, clock.now().timestamp_micros())
}

/// The caller: the authenticated one, or else everyone at the address.
pub(super) fn caller(request: &ServiceRequest) -> Caller {
    match request.extensions().get::<Proof>() {
        Some(Ok(Subject::User { id, .. })) => Caller::Proven(Uuid::from(*id).as_u128()),
        Some(Ok(Subject::Key { id, .. })) => Caller::Proven(Uuid::from(*id).as_u128()),
        Some(Ok(Subject::Anonymous | Subject::System(_)) | Err(_)) | None => stranger(request),
    }
}
