//! Which version of the interface a request speaks. Endpoints are written once; what differs between the versions asks here.

use std::{fmt, time::SystemTime};

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue, HttpDate, LINK},
    middleware::Next,
    web::Data,
};

use crate::{
    problem::Problem,
    settings::{Retirement, Settings},
};

/// A version of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ApiVersion {
    /// Numbered pages, bare ids, `If-Match` where one cares.
    V1,
    /// Cursors, typed ids, `If-Match` on every change.
    V2,
}

tokio::task_local! {
    /// Set around everything that is done for a request, because serde has no way to hand a context on to values.
    static SPOKEN: ApiVersion;
}

impl ApiVersion {
    /// What its addresses begin with.
    pub(crate) const fn base(self) -> &'static str {
        match self {
            Self::V1 => "/api/v1",
            Self::V2 => "/api/v2",
        }
    }

    /// The version that the present request speaks.
    pub(crate) fn spoken() -> Self {
        SPOKEN.try_with(|version| *version).unwrap_or(Self::V1)
    }

    /// Does something in this version that outlives its request's handler.
    pub(crate) fn within<T>(self, work: impl FnOnce() -> T) -> T {
        SPOKEN.sync_scope(self, work)
    }
}

/// An address in the version that the present request speaks.
pub(crate) fn address(path: fmt::Arguments<'_>) -> String {
    format!("{}{path}", ApiVersion::spoken().base())
}

/// Where the same thing is found in version 2.
#[derive(Debug, Clone)]
pub(crate) struct Successor(pub(crate) String);

/// Answers in version 1, and says where version 2 answers.
pub(crate) async fn first(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let retirement = request.app_data::<Data<Settings>>().map(|settings| settings.retirement).unwrap_or_default();
    let answer = SPOKEN.scope(ApiVersion::V1, next.call(request)).await?;
    let link = successor(answer.request()).map(|link| (LINK, link));
    Ok(with_headers(answer.map_into_boxed_body(), link.into_iter().chain(announced(retirement))))
}

/// Adds headers, to a failure in a way that survives its rendering.
fn with_headers(
    mut answer: ServiceResponse<BoxBody>,
    headers: impl Iterator<Item = (HeaderName, HeaderValue)>,
) -> ServiceResponse<BoxBody> {
    let problem = answer.response().error().and_then(|error| error.as_error::<Problem>()).cloned();
    if let Some(problem) = problem {
        let problem = headers.fold(problem, |problem, (name, value)| problem.header(name, value));
        return answer.into_response(HttpResponse::from_error(problem));
    }
    headers.for_each(|(name, value)| answer.headers_mut().append(name, value));
    answer
}

/// `Deprecation` (RFC 9745) and `Sunset` (RFC 8594), where their dates are set.
fn announced(Retirement { deprecated_at, sunset_at }: Retirement) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let deprecated = deprecated_at.map(|at| ("deprecation", format!("@{}", at.timestamp())));
    let sunset = sunset_at.map(|at| ("sunset", HttpDate::from(SystemTime::from(at)).to_string()));
    deprecated
        .into_iter()
        .chain(sunset)
        .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?)))
}

/// Answers in version 2.
pub(crate) async fn second(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    SPOKEN.scope(ApiVersion::V2, next.call(request)).await
}

/// The link to the same thing in version 2 (RFC 5829), where its ids were understood.
fn successor(request: &actix_web::HttpRequest) -> Option<HeaderValue> {
    let known = request.extensions().get::<Successor>().map(|Successor(path)| path.clone());
    let pattern = request.match_pattern()?;
    let unvarying = || pattern.strip_prefix(ApiVersion::V1.base()).filter(|rest| !rest.contains('{'));
    let path = known.or_else(|| Some(format!("{}{}", ApiVersion::V2.base(), unvarying()?)))?;
    HeaderValue::from_str(&format!("<{path}>; rel=\"successor-version\"")).ok()
}
