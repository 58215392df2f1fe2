/// What a caller can do about a refusal; decides the HTTP status in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The request itself is wrong and will be wrong tomorrow (422).
    Invalid,
    /// The request does not fit the present state (409).
    Conflict,
    /// The actor may not ask for this (403).
    Forbidden,
}

/// Why an aggregate or a value object says no.
///
/// `Display` is lower-case prose without a full stop that says what the reader can do; it never holds a secret.
pub trait Refusal: std::error::Error + Clone + PartialEq + Send + Sync + 'static {
    /// Stable, dotted code, for example `agent.name_length`; documented in `docs/errors.md`.
    fn code(&self) -> &'static str;

    /// What the caller can do about it.
    fn kind(&self) -> RefusalKind;

    /// JSON pointer (RFC 6901) into the request body to the offending member, where there is one.
    fn pointer(&self) -> Option<String> {
        None
    }
}
