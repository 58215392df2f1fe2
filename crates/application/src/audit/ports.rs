use core::net::IpAddr;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_domain::kernel::ids::ProjectId;
use uuid::Uuid;

use super::security_event::SecurityEvent;
use crate::error::PortError;

/// How it ended.
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

/// Something about security that is no fact of the log; it holds ids and an address, never an e-mail or a secret.
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
    /// Where the request came from.
    pub source: Option<IpAddr>,
    /// The project it is about.
    pub project: Option<ProjectId>,
    /// What it is about, for example `user:<id>` or the name of a permission.
    pub target: Option<String>,
    /// The request.
    pub correlation_id: Uuid,
}

/// Where a request came from that recorded facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The request.
    pub correlation_id: Uuid,
    /// Its address.
    pub source: IpAddr,
    /// When.
    pub at: DateTime<Utc>,
}

/// Keeps what is no fact for a while. Keeping never waits and never fails: under a flood the newest are dropped, and the
/// adapter says so in the log.
#[async_trait]
pub trait SecurityRecords: Send + Sync {
    /// Keeps a record.
    fn keep(&self, record: SecurityRecord);

    /// Keeps where a request came from.
    fn locate(&self, origin: Origin);

    /// Deletes what was kept before an instant, and says how many records went.
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

/// Which entries are wanted; what is left out does not matter.
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
    /// Where it is in the trail.
    pub place: AuditPlace,
    /// The event's stored name, or the name of what is no event.
    pub kind: String,
    /// Who.
    pub actor: String,
    /// Where the request came from, as long as that is kept.
    pub source: Option<String>,
    /// How it ended; facts have all succeeded.
    pub outcome: Outcome,
    /// The project it is about.
    pub project: Option<ProjectId>,
    /// What it was done to, for example `user:<id>`.
    pub target: Option<String>,
    /// The request; everything that followed from it shares this id.
    pub correlation_id: Uuid,
}

/// Tells facts and records together.
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// At most so many entries, the newest first.
    ///
    /// # Errors
    /// [`PortError`] when the answer cannot be had.
    async fn list(&self, filter: &AuditFilter, limit: u64) -> Result<Vec<AuditEntry>, PortError>;
}
