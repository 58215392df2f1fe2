use core::net::IpAddr;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_domain::kernel::ids::ProjectId;
use uuid::Uuid;

use super::security_event::SecurityEvent;
use crate::error::PortError;

/// The outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was refused.
    Failure,
}

impl Outcome {
    /// The name used on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }

    /// Reads the name used on the wire and in the database.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Success, Self::Failure].into_iter().find(|outcome| outcome.as_str() == name)
    }
}

/// A security event that is no fact of the log; it holds ids and an address, never an e-mail or a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityRecord {
    /// Its identity.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub event: SecurityEvent,
    /// `user:<id>`, `key:<id>` or `anonymous`.
    pub actor: String,
    /// The address the request came from.
    pub source: Option<IpAddr>,
    /// The project it is about.
    pub project: Option<ProjectId>,
    /// What it is about, for example `user:<id>` or the name of a permission.
    pub target: Option<String>,
    /// The request.
    pub correlation_id: Uuid,
}

/// The address of a request that recorded facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The request.
    pub correlation_id: Uuid,
    /// Its address.
    pub source: IpAddr,
    /// When.
    pub at: DateTime<Utc>,
}

/// Keeps for a while what is not in the log. Keeping never waits and never fails: under a flood the newest records are
/// dropped, and the adapter logs that.
#[async_trait]
pub trait SecurityRecords: Send + Sync {
    /// Keeps a record.
    fn keep(&self, record: SecurityRecord);

    /// Keeps the address of a request.
    fn locate(&self, origin: Origin);

    /// Deletes what was kept before an instant, and returns how many records were deleted.
    ///
    /// # Errors
    /// [`PortError`] when they cannot be deleted.
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError>;
}

/// A place in the trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditPlace {
    /// The entry's time.
    pub at: DateTime<Utc>,
    /// The entry's identity.
    pub id: Uuid,
}

/// Which entries are wanted; omitted members do not restrict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// Only what is about this project.
    pub project: Option<ProjectId>,
    /// Only this kind, for example `user.role_changed` or `authz_fail`.
    pub kind: Option<String>,
    /// Only what this actor did, for example `user:<id>`.
    pub actor: Option<String>,
    /// Only from this instant on.
    pub since: Option<DateTime<Utc>>,
    /// Only before this instant.
    pub until: Option<DateTime<Utc>>,
    /// Only what comes after this place, walking into the past.
    pub before: Option<AuditPlace>,
}

/// One entry of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place in the trail.
    pub place: AuditPlace,
    /// The event's stored name, or the name of the security event.
    pub kind: String,
    /// Who.
    pub actor: String,
    /// The address of the request, as long as it is kept.
    pub source: Option<String>,
    /// The outcome; facts always succeeded.
    pub outcome: Outcome,
    /// The project it is about.
    pub project: Option<ProjectId>,
    /// The object of the action, for example `user:<id>`.
    pub target: Option<String>,
    /// The request; everything that followed from it shares this id.
    pub correlation_id: Uuid,
}

/// Reads facts and records together.
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// The newest entries first, at most `limit`.
    ///
    /// # Errors
    /// [`PortError`] when the query fails.
    async fn list(&self, filter: &AuditFilter, limit: u64) -> Result<Vec<AuditEntry>, PortError>;
}
