use crate::kernel::{Refusal, RefusalKind};

/// Why a request about an API key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// Empty, too long or with control characters.
    #[error("the name must have 1 to 100 characters and no control characters")]
    NameFormat,
    /// Not a scope of API keys.
    #[error("scope {} is not available to API keys", .0 + 1)]
    ScopeUnknown(usize),
    /// A key without scopes is useless.
    #[error("the key needs at least one scope")]
    ScopesEmpty,
    /// The expiry is in the past, or too far in the future.
    #[error("the expiry must lie in the future, at most 365 days away")]
    ExpiryRange,
    /// The overlap of old and new secret is too long.
    #[error("the overlap must be at most 7 days")]
    OverlapRange,
    /// The key would have more permissions than the issuer.
    #[error("the key's role exceeds yours in the project")]
    ExceedsIssuer,
    /// A revoked key stays revoked.
    #[error("the key is revoked, issue another one")]
    Revoked,
    /// An expired key stays expired.
    #[error("the key has expired, issue another one")]
    Expired,
    /// The id is issued already.
    #[error("the key is issued already")]
    AlreadyIssued,
    /// No key has this id.
    #[error("there is no such key")]
    NotIssued,
}

impl Refusal for ApiKeyError {
    fn code(&self) -> &'static str {
        match self {
            Self::NameFormat => "api_key.name_format",
            Self::ScopeUnknown(_) => "api_key.scope_unknown",
            Self::ScopesEmpty => "api_key.scopes_empty",
            Self::ExpiryRange => "api_key.expiry_range",
            Self::OverlapRange => "api_key.overlap_range",
            Self::ExceedsIssuer => "api_key.exceeds_issuer",
            Self::Revoked => "api_key.revoked",
            Self::Expired => "api_key.expired",
            Self::AlreadyIssued => "api_key.already_issued",
            Self::NotIssued => "api_key.not_issued",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::NameFormat | Self::ScopeUnknown(_) | Self::ScopesEmpty | Self::ExpiryRange | Self::OverlapRange => {
                RefusalKind::Invalid
            }
            Self::ExceedsIssuer => RefusalKind::Forbidden,
            Self::Revoked | Self::Expired | Self::AlreadyIssued | Self::NotIssued => RefusalKind::Conflict,
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::NameFormat => Some("/name".to_owned()),
            Self::ScopeUnknown(index) => Some(format!("/scopes/{index}")),
            Self::ScopesEmpty => Some("/scopes".to_owned()),
            Self::ExpiryRange => Some("/expires_at".to_owned()),
            Self::OverlapRange => Some("/overlap_s".to_owned()),
            Self::ExceedsIssuer => Some("/role".to_owned()),
            Self::Revoked | Self::Expired | Self::AlreadyIssued | Self::NotIssued => None,
        }
    }
}
