use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use devskyy_domain::{
    kernel::{
        Version,
        ids::{ApiKeyId, ProjectId, UserId},
    },
    projects::ProjectRole,
};

use super::ports::{KeyUses, KeyViews};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    ports::Clock,
};

/// The validity of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyStatus {
    /// It is valid.
    Active,
    /// It has expired.
    Expired,
    /// It was revoked.
    Revoked,
}

impl KeyStatus {
    /// The name used on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// A key, derived from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its id.
    pub id: ApiKeyId,
    /// The project it gives access to.
    pub project: ProjectId,
    /// The user on whose behalf it acts.
    pub issuer: UserId,
    /// Its name.
    pub name: String,
    /// Its highest role.
    pub role: ProjectRole,
    /// Its scopes, by name.
    pub scopes: Vec<String>,
    /// Its expiry.
    pub expires_at: DateTime<Utc>,
    /// When it was issued.
    pub created_at: DateTime<Utc>,
    /// When its secret was last rotated.
    pub rotated_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Its version.
    pub version: Version,
}

/// A key as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyView {
    /// The record from the log.
    pub record: KeyRecord,
    /// Its validity.
    pub status: KeyStatus,
    /// When it was last used, accurate to seconds.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A key with its text, which is shown only once.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyWithSecret {
    /// The key.
    pub view: KeyView,
    /// The text to present; `None` for a repeated request, because it is not stored.
    pub text: Option<String>,
}

impl std::fmt::Debug for KeyWithSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyWithSecret").field("view", &self.view).finish_non_exhaustive()
    }
}

/// Looks up keys to show them.
#[derive(Clone)]
pub(super) struct Shelf {
    pub(super) views: Arc<dyn KeyViews>,
    pub(super) uses: Arc<dyn KeyUses>,
    pub(super) access: Access,
    pub(super) clock: Arc<dyn Clock>,
}

impl Shelf {
    /// A key of a project, if the actor has the permission.
    pub(super) async fn of_project(
        &self,
        actor: &Actor,
        project: ProjectId,
        key: ApiKeyId,
        permission: Permission,
    ) -> Result<KeyRecord, Error> {
        self.access.require(actor, project, permission).await?;
        let found = self.views.find(key).await?.filter(|found| found.project == project);
        found.ok_or_else(|| Error::NotFound(format!("API key {key}")))
    }

    /// The current state of a key.
    pub(super) async fn show(&self, key: ApiKeyId) -> Result<KeyView, Error> {
        let found = self.views.find(key).await?.ok_or_else(|| Error::NotFound(format!("API key {key}")))?;
        let shown = self.dress(vec![found]).await?.pop();
        shown.ok_or_else(|| Error::NotFound(format!("API key {key}")))
    }

    pub(super) async fn dress(&self, records: Vec<KeyRecord>) -> Result<Vec<KeyView>, Error> {
        let now = self.clock.now();
        let ids: Vec<_> = records.iter().map(|record| record.id).collect();
        let uses: HashMap<_, _> = self.uses.last(&ids).await?.into_iter().collect();
        let status = |record: &KeyRecord| match record {
            KeyRecord { revoked_at: Some(_), .. } => KeyStatus::Revoked,
            KeyRecord { expires_at, .. } if *expires_at <= now => KeyStatus::Expired,
            KeyRecord { .. } => KeyStatus::Active,
        };
        let view = |record: KeyRecord| KeyView {
            status: status(&record),
            last_used_at: uses.get(&record.id).copied(),
            record,
        };
        Ok(records.into_iter().map(view).collect())
    }
}
