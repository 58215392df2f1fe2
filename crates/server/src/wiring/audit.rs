//! Wiring of the audit trail.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use devskyy_application::{
    access::Access,
    audit::{Audit, AuditedEventStore, SecurityLog, SecurityRecords as _},
    es::EventStore,
    ports::{Clock, IdGenerator},
};
use devskyy_infrastructure::{audit::SqlAudit, sql::Database};

use super::Ground;
use crate::{failure::causes, tasks::Tasks};

/// Maximum delay of writing a record.
const LATE: Duration = Duration::from_secs(1);
/// How long sign-ins, denials and addresses are retained.
const KEPT: TimeDelta = TimeDelta::days(90);
/// Pause between two sweeps.
const PAUSE: Duration = Duration::from_secs(3_600);

/// The audit trail and its writer.
#[derive(Clone)]
pub(crate) struct Trail {
    /// Records sign-ins and denials.
    pub(super) security: SecurityLog,
    kept: Arc<SqlAudit>,
    clock: Arc<dyn Clock>,
}

impl Trail {
    pub(super) fn new(database: Database, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Self {
        let kept = Arc::new(SqlAudit::new(database));
        Self { security: SecurityLog::new(kept.clone(), clock.clone(), ids), kept, clock }
    }

    /// The queries over the trail.
    pub(super) fn told(&self, access: Access) -> Audit {
        Audit::new(self.kept.clone(), access)
    }

    /// Wraps a log so that security-relevant events are also logged.
    pub(super) fn watching(&self, log: Arc<dyn EventStore>) -> Arc<dyn EventStore> {
        Arc::new(AuditedEventStore::new(log, self.security.clone()))
    }

    /// Writes records, and deletes old ones, for as long as the server runs.
    pub(super) fn start(&self, tasks: &Tasks) {
        let kept = self.kept.clone();
        tasks.every("audit.records", LATE, move || {
            let kept = kept.clone();
            async move { kept.flush().await }
        });
        let (kept, clock) = (self.kept.clone(), self.clock.clone());
        tasks.every("audit.sweep", PAUSE, move || {
            let (kept, before) = (kept.clone(), clock.now() - KEPT);
            async move { kept.sweep(before).await.map(|_| ()) }
        });
    }

    /// Writes the remaining records.
    pub(super) async fn settle(&self) {
        if let Err(error) = self.kept.flush().await {
            tracing::warn!(error = causes(&error), "the last security records are only in this log");
        }
    }
}

impl Ground {
    /// The log, with security-relevant events also logged.
    pub(super) fn audited(&self) -> Arc<dyn EventStore> {
        self.audit.watching(self.log.clone())
    }
}
