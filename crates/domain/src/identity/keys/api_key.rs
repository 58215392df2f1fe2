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

/// Longest time a key may count before it must be renewed.
pub const LONGEST_LIFE: TimeDelta = TimeDelta::days(365);

/// Longest time a replaced secret may count beside its successor.
pub const LONGEST_OVERLAP: TimeDelta = TimeDelta::days(7);

/// A key that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRequest {
    /// For which project.
    pub project: ProjectId,
    /// Who wants it.
    pub issuer: UserId,
    /// Their own role in the project.
    pub issuer_role: ProjectRole,
    /// What people shall call it.
    pub name: KeyName,
    /// What it shall be at most.
    pub role: ProjectRole,
    /// What it shall be able to do at most.
    pub scopes: BTreeSet<KeyScope>,
    /// Until when it shall count.
    pub expires_at: DateTime<Utc>,
    /// Names its secret.
    pub secret: KeySecretId,
}

/// Another secret that somebody wants for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// Their role in the project; whoever holds the new secret has what the key has.
    pub by: ProjectRole,
    /// Names the new secret.
    pub secret: KeySecretId,
    /// How long the present secret shall count beside it.
    pub overlap: TimeDelta,
    /// Until when the key shall count from now on, where that changes.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What is known of an issued key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyDetails {
    /// The project it opens.
    pub project: ProjectId,
    /// What it may be at most.
    pub role: ProjectRole,
    /// Until when it counts.
    pub expires_at: DateTime<Utc>,
}

/// One API key. The variants are its life; time ends it too, and is asked for where it matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ApiKey {
    /// Nothing has been recorded yet.
    #[default]
    Unissued,
    /// Counts until it expires.
    Issued(ApiKeyDetails),
    /// No longer counts.
    Revoked,
}

impl ApiKey {
    /// Issues a key, of no more power than the issuer has.
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

    /// Gives the key another secret; the present one counts for the overlap.
    ///
    /// # Errors
    /// [`ApiKeyError::OverlapRange`], [`ApiKeyError::ExpiryRange`], [`ApiKeyError::ExceedsIssuer`], or when the key no
    /// longer counts.
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

    /// Ends the key for good.
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
