/// What a caller can do about a refusal; determines the HTTP status in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The request itself is wrong, and repeating it does not help (422).
    Invalid,
    /// The request conflicts with the current state (409).
    Conflict,
    /// The actor lacks the permission (403).
    Forbidden,
}

/// Why an aggregate or a value object refuses.
///
/// `Display` is lower-case prose without a full stop that explains what the reader can do; it never contains a secret.
pub trait Refusal: std::error::Error + Clone + PartialEq + Send + Sync + 'static {
    /// Stable, dotted code, for example `agent.name_length`; documented in `docs/errors.md`.
    fn code(&self) -> &'static str;

    /// What the caller can do about it.
    fn kind(&self) -> RefusalKind;

    /// JSON pointer (RFC 6901) to the offending member of the request body, if there is one.
    fn pointer(&self) -> Option<String> {
        None
    }
}
