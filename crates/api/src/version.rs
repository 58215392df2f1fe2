//! The version of the interface that a request uses. Endpoints are written once; code that depends on it asks here.

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
    /// Numbered pages, bare ids, optional `If-Match`.
    V1,
    /// Cursors, typed ids, `If-Match` on every change.
    V2,
}

tokio::task_local! {
    /// Set around the handling of a request, because serde has no way to pass a context to values.
    static SPOKEN: ApiVersion;
}

impl ApiVersion {
    /// The prefix of its addresses.
    pub(crate) const fn base(self) -> &'static str {
        match self {
            Self::V1 => "/api/v1",
            Self::V2 => "/api/v2",
        }
    }

    /// The version of the present request.
    pub(crate) fn spoken() -> Self {
        SPOKEN.try_with(|version| *version).unwrap_or(Self::V1)
    }

    /// Runs, in this version, work that outlives its request's handler.
    pub(crate) fn within<T>(self, work: impl FnOnce() -> T) -> T {
        SPOKEN.sync_scope(self, work)
    }
}

/// An address in the version of the present request.
pub(crate) fn address(path: fmt::Arguments<'_>) -> String {
    format!("{}{path}", ApiVersion::spoken().base())
}

/// Serves version 1.
pub(crate) async fn first(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    SPOKEN.scope(ApiVersion::V1, next.call(request)).await
}

/// Serves version 2.
pub(crate) async fn second(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    SPOKEN.scope(ApiVersion::V2, next.call(request)).await
}
