//! Which version of the interface a request speaks. Endpoints are written once; what differs between the versions asks here.

use std::fmt;

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
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

/// Answers in version 1.
pub(crate) async fn first(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    SPOKEN.scope(ApiVersion::V1, next.call(request)).await
}

/// Answers in version 2.
pub(crate) async fn second(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    SPOKEN.scope(ApiVersion::V2, next.call(request)).await
}
