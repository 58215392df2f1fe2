//! The errors of use cases: one enum that the API maps exhaustively to responses.

use devskyy_domain::kernel::{DecodeError, Refusal, RefusalKind, Version};

use crate::es::{AppendError, Claim, Precondition};

/// A capability failed for a reason the caller cannot fix, except by a retry if [`PortError::retryable`].
#[derive(Debug, thiserror::Error)]
#[error("{port}: {doing} failed")]
pub struct PortError {
    /// Which capability, for example `event store`.
    pub port: &'static str,
    /// What it was doing, for example `appending events`.
    pub doing: &'static str,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// The underlying error.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl PortError {
    /// A failure that may pass: the database is unavailable, a pool is exhausted.
    pub fn transient(
        port: &'static str,
        doing: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { port, doing, retryable: true, source: source.into() }
    }

    /// A failure that will not pass by itself: damaged data, a bug.
    pub fn bug(
        port: &'static str,
        doing: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { port, doing, retryable: false, source: source.into() }
    }
}

impl From<DecodeError> for PortError {
    fn from(source: DecodeError) -> Self {
        Self::bug("event store", "decoding an event", source)
    }
}

/// A domain refusal with its type erased, so that the API needs only one mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Stable, dotted code.
    pub code: &'static str,
    /// What the caller can do about it.
    pub kind: RefusalKind,
    /// Explanation for people.
    pub detail: String,
    /// JSON pointer into the request body, if one member is the cause.
    pub pointer: Option<String>,
}

impl<R: Refusal> From<R> for Refused {
    fn from(refusal: R) -> Self {
        Self { code: refusal.code(), kind: refusal.kind(), detail: refusal.to_string(), pointer: refusal.pointer() }
    }
}

/// Why a use case failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The domain refuses.
    #[error("{}", .0.detail)]
    Refused(Refused),
    /// Several parts of the request are invalid.
    #[error("{} parts of the request are invalid", .0.len())]
    Invalid(Vec<Refused>),
    /// There are no credentials, or they are not accepted.
    #[error("sign in first")]
    Unauthenticated,
    /// Wrong e-mail or password, or the account may not sign in; deliberately not which.
    #[error("the e-mail or the password is wrong")]
    BadCredentials,
    /// The actor is not allowed to do this.
    #[error("you are not allowed to do this")]
    Forbidden,
    /// Like [`Error::Forbidden`], but the authorizer has already recorded the denial.
    #[error("you are not allowed to do this")]
    Denied,
    /// API keys are not allowed to do this, only people.
    #[error("only people who have signed in may do this, not API keys")]
    PeopleOnly,
    /// The thing does not exist, or the actor may not know that it does.
    #[error("{0} was not found")]
    NotFound(String),
    /// The caller's `If-Match` names an older state.
    #[error("version {expected} was expected, but the current version is {actual}")]
    StaleVersion {
        /// The version the caller expected.
        expected: Version,
        /// The current version.
        actual: Version,
    },
    /// The caller's `If-Match` names an older state of something without a version.
    #[error("the resource has changed since it was read")]
    Stale,
    /// Too many concurrent changes of the same thing.
    #[error("too many concurrent changes, try again")]
    Contended,
    /// Another owner holds a unique value; use cases convert it to a refusal that names the member.
    #[error("a unique value is taken")]
    ClaimTaken(Claim),
    /// The idempotency key was used for a different request.
    #[error("the idempotency key was used for a different request")]
    KeyReused,
    /// Too many attempts from this source; nothing was looked up or checked.
    #[error("too many attempts, try again in {wait_s} seconds")]
    TooManyAttempts {
        /// How long to wait, in seconds.
        wait_s: u64,
    },
    /// The platform has more work waiting than it accepts.
    #[error("too much work is waiting, try again")]
    Overloaded,
    /// The log failed during the append, and the outcome is unknown: all of it was recorded, or nothing.
    #[error("it is unknown whether this was recorded")]
    Unknown(#[source] PortError),
    /// A capability failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl Error {
    /// Whether an append that failed with this error certainly recorded nothing. An unknown outcome may have been
    /// recorded, and a capability may have failed after the log accepted the append.
    #[must_use]
    pub const fn surely_refused(&self) -> bool {
        !matches!(self, Self::Unknown(_) | Self::Port(_))
    }

    /// Converts [`Error::ClaimTaken`] to a refusal that names the member.
    #[must_use]
    pub fn where_taken(self, refusal: impl Refusal) -> Self {
        match self {
            Self::ClaimTaken(_) => refusal.into(),
            other => other,
        }
    }
}

impl<R: Refusal> From<R> for Error {
    fn from(refusal: R) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<AppendError> for Error {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Conflict { expected: Precondition::Version(expected), actual, .. } => {
                Self::StaleVersion { expected, actual }
            }
            AppendError::Conflict { .. } => Self::Contended,
            AppendError::ClaimTaken { claim } => Self::ClaimTaken(claim),
            AppendError::KeyReused => Self::KeyReused,
            AppendError::Overloaded => Self::Overloaded,
            AppendError::Unknown(error) => Self::Unknown(error),
            AppendError::Port(error) => Self::Port(error),
        }
    }
}
