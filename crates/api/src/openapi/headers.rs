//! Request headers that whole families of operations share, for the document.
#![expect(dead_code, reason = "these types only describe headers; extractors read them")]

use utoipa::IntoParams;

/// Makes a repetition harmless.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct IdempotencyKey {
    /// Makes the request safe to repeat: the same key with the same request has one effect and returns the same
    /// resource.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$",
        example = "order-4711",
        required = false
    )]
    key: String,
}

/// Guards a change.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct OnlyIf {
    /// The `ETag` last seen; the change is refused with 412 when there is a newer state.
    #[param(
        rename = "If-Match",
        format = "entity-tags",
        pattern = r#"^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$"#,
        example = "\"3\"",
        required = false
    )]
    if_match: String,
}

/// Saves a transfer.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct Unless {
    /// The `ETag` last seen; the answer is 304 without a body when there is nothing newer.
    #[param(
        rename = "If-None-Match",
        format = "entity-tags",
        pattern = r#"^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$"#,
        example = "\"3\"",
        required = false
    )]
    if_none_match: String,
}

/// Goes on with a stream.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct ResumeAfter {
    /// Resumes a stream after this position.
    #[param(rename = "Last-Event-ID", required = false)]
    last_event_id: u64,
}
