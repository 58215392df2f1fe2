use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    error::ApiKeyError,
    event::{ApiKeyEvent, ApiKeyIssued, ApiKeyRevoked, ApiKeyRotated},
    values::{KeyName, KeyScope},
};
use crate::{
    kernel::{
        Aggregate, Decision,
        ids::{ApiKeyId, KeySecretId, ProjectId, UserId},
    },
    projects::ProjectRole,
};

/// Maximum time until a key expires.
pub const LONGEST_LIFE: TimeDelta = TimeDelta::days(365);

/// Maximum time a replaced secret stays valid together with its successor.
pub const LONGEST_OVERLAP: TimeDelta = TimeDelta::days(7);

/// A request for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRequest {
    /// The project.
    pub project: ProjectId,
    /// The issuer.
    pub issuer: UserId,
    /// The issuer's role in the project.
    pub issuer_role: ProjectRole,
    /// Its name.
    pub name: KeyName,
    /// The role that limits it.
    pub role: ProjectRole,
    /// The scopes that limit it.
    pub scopes: BTreeSet<KeyScope>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
    /// The id of its secret.
    pub secret: KeySecretId,
}

/// A request for a new secret of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// The requester's role in the project; the new secret gives access to all that the key may do.
    pub by: ProjectRole,
    /// The id of the new secret.
    pub secret: KeySecretId,
    /// How long the current secret stays valid with it.
    pub overlap: TimeDelta,
    /// The new expiry, if it changes.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The properties of an issued key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyDetails {
    /// The project it gives access to.
    pub project: ProjectId,
    /// The role that limits it.
    pub role: ProjectRole,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

/// One API key. The variants are the states of its life cycle; expiry is checked where it matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ApiKey {
    /// Nothing has been recorded yet.
    #[default]
    Unissued,
    /// Valid until it expires.
    Issued(ApiKeyDetails),
    /// No longer valid.
    Revoked,
}

impl ApiKey {
    /// Issues a key with at most the issuer's permissions.
    ///
    /// # Errors
    /// [`ApiKeyError::ScopesEmpty`], [`ApiKeyError::ExpiryRange`], [`ApiKeyError::ExceedsIssuer`] or
    /// [`ApiKeyError::AlreadyIssued`].
    pub fn issue(&self, wanted: &KeyRequest, now: DateTime<Utc>) -> Decision<Self> {
        if *self != Self::Unissued {
            return Err(ApiKeyError::AlreadyIssued);
        }
        if wanted.scopes.is_empty() {
            return Err(ApiKeyError::ScopesEmpty);
        }
        lasts(wanted.expires_at, now)?;
        if wanted.role.exceeds(wanted.issuer_role) {
            return Err(ApiKeyError::ExceedsIssuer);
        }
        let KeyRequest { project, issuer, name, role, scopes, expires_at, secret, .. } = wanted.clone();
        Ok(vec![ApiKeyIssued { project, issuer, name, role, scopes, expires_at, secret }.into()])
    }

    /// Gives the key a new secret; the current one stays valid for the overlap.
    ///
    /// # Errors
    /// [`ApiKeyError::OverlapRange`], [`ApiKeyError::ExpiryRange`], [`ApiKeyError::ExceedsIssuer`], or when the key is
    /// no longer valid.
    pub fn rotate(&self, renewal: &Renewal, now: DateTime<Utc>) -> Decision<Self> {
        let details = self.issued()?;
        if details.expires_at <= now {
            return Err(ApiKeyError::Expired);
        }
        if renewal.overlap < TimeDelta::zero() || renewal.overlap > LONGEST_OVERLAP {
            return Err(ApiKeyError::OverlapRange);
        }
        if let Some(expires_at) = renewal.expires_at {
            lasts(expires_at, now)?;
        }
        if details.role.exceeds(renewal.by) {
            return Err(ApiKeyError::ExceedsIssuer);
        }
        let rotated = ApiKeyRotated {
            secret: renewal.secret,
            previous_until: now + renewal.overlap,
            expires_at: renewal.expires_at.unwrap_or(details.expires_at),
        };
        Ok(vec![rotated.into()])
    }

    /// Revokes the key permanently.
    ///
    /// # Errors
    /// [`ApiKeyError::NotIssued`] when there is no such key.
    pub fn revoke(&self) -> Decision<Self> {
        match self {
            Self::Issued(_) => Ok(vec![ApiKeyRevoked {}.into()]),
            Self::Revoked => Ok(vec![]),
            Self::Unissued => Err(ApiKeyError::NotIssued),
        }
    }

    const fn issued(&self) -> Result<&ApiKeyDetails, ApiKeyError> {
        match self {
            Self::Issued(details) => Ok(details),
            Self::Revoked => Err(ApiKeyError::Revoked),
            Self::Unissued => Err(ApiKeyError::NotIssued),
        }
    }
}

fn lasts(expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), ApiKeyError> {
    if expires_at > now && expires_at - now <= LONGEST_LIFE { Ok(()) } else { Err(ApiKeyError::ExpiryRange) }
}

impl Aggregate for ApiKey {
    const CATEGORY: &'static str = "api_key";
    type Id = ApiKeyId;
    type Event = ApiKeyEvent;
    type Error = ApiKeyError;

    fn apply(&mut self, event: &ApiKeyEvent) {
        match event {
            ApiKeyEvent::Issued(it) => {
                *self = Self::Issued(ApiKeyDetails { project: it.project, role: it.role, expires_at: it.expires_at });
            }
            ApiKeyEvent::Rotated(it) => {
                if let Self::Issued(details) = self {
                    details.expires_at = it.expires_at;
                }
            }
            ApiKeyEvent::Revoked(_) => *self = Self::Revoked,
        }
    }
}
