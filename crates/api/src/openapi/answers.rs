//! Failures that whole families of operations share, for the document.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses,
    openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, header::HeaderBuilder},
};

use crate::problem::PROBLEM_JSON;

macro_rules! families {
    ($($(#[$meta:meta])* $name:ident [$($status:literal)+];)+) => {$(
        $(#[$meta])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                [$($status),+].into_iter().map(|status: u16| (status.to_string(), problem(status).into())).collect()
            }
        }
    )+};
}

families! {
    /// Failures of reading one resource.
    Reading [400 401 403 404 414 429 500 503];
    /// Failures of reading a list.
    Listing [401 403 404 414 422 429 500 503];
    /// Failures of reading one resource with parameters, or a list below it.
    Narrowed [400 401 403 404 414 422 429 500 503];
    /// Failures of creating.
    Creating [400 401 403 404 408 409 413 414 415 422 429 500 503 504];
    /// Failures of changing.
    Changing [400 401 403 404 408 409 412 413 414 415 422 429 500 503 504];
    /// Failures of an action without a body.
    Acting [400 401 403 404 409 412 414 429 500 503 504];
    /// Failures for a caller who has not signed in.
    Entering [400 401 403 408 409 413 414 415 422 429 500 503 504];
    /// Failures of reading one's own data.
    Oneself [401 403 414 429 500 503];
    /// Failures of reading a list of one's own.
    OneselfListed [401 403 414 422 429 500 503];
    /// Failures of a conditional read of one's own data.
    OneselfAsSeen [400 401 403 414 429 500 503];
    /// Failures of reading something public.
    Public [414 500 503];
}

pub(super) fn problem(status: u16) -> Response {
    let response = ResponseBuilder::new()
        .description(meaning(status))
        .content(PROBLEM_JSON, ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build());
    match status {
        401 => response.header("WWW-Authenticate", HeaderBuilder::new().description(Some("how to sign in")).build()),
        429 | 503 => response.header("Retry-After", HeaderBuilder::new().description(Some("seconds to wait")).build()),
        _ => response,
    }
    .build()
}

const fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The request is malformed",
        401 => "The request is not authenticated",
        403 => "The caller is not allowed to do this",
        404 => "It does not exist, or the caller may not see it",
        408 => "The body arrived too slowly",
        409 => "It conflicts with the present state",
        412 => "`If-Match` names an older version",
        413 => "The body is too large",
        414 => "Path and query are longer than 8 KiB",
        415 => "The body is not `application/json`",
        422 => "The request is well-formed but invalid",
        428 => "`If-Match` is missing",
        429 => "Too many requests; try again after `Retry-After`",
        503 => "Try again after `Retry-After`",
        504 => "The outcome is unknown: repeat the request with the same `Idempotency-Key`, or check first",
        _ => "Internal error",
    }
}
