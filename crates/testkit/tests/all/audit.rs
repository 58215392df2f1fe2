//! The trail in memory keeps the contract, and the contract detects trails that break a promise.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    audit::{AuditEntry, AuditFilter, AuditTrail, Origin, SecurityRecord, SecurityRecords},
    error::PortError,
};
use devskyy_testkit::contracts::audit::AuditUnderTest;

async fn in_memory() -> AuditUnderTest {
    AuditUnderTest::in_memory()
}

devskyy_testkit::audit_contract!(in_memory);

/// A trail with one flaw.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    DropsRecords,
    DropsAddresses,
    NeverSweeps,
    IgnoresFilters,
    IgnoresPlaces,
    HidesActors,
}

struct Flawed {
    records: Arc<dyn SecurityRecords>,
    trail: Arc<dyn AuditTrail>,
    flaw: Flaw,
}

#[async_trait]
impl SecurityRecords for Flawed {
    fn keep(&self, record: SecurityRecord) {
        if self.flaw != Flaw::DropsRecords {
            self.records.keep(record);
        }
    }

    fn locate(&self, origin: Origin) {
        if self.flaw != Flaw::DropsAddresses {
            self.records.locate(origin);
        }
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        if self.flaw == Flaw::NeverSweeps { Ok(0) } else { self.records.sweep(before).await }
    }
}

#[async_trait]
impl AuditTrail for Flawed {
    async fn list(&self, filter: &AuditFilter, limit: u64) -> Result<Vec<AuditEntry>, PortError> {
        let filter = match self.flaw {
            Flaw::IgnoresFilters => AuditFilter { before: filter.before, ..AuditFilter::default() },
            // Continues a few times, so that the walk ends.
            Flaw::IgnoresPlaces => AuditFilter { before: None, until: filter.before.map(|it| it.at), ..filter.clone() },
            _ => filter.clone(),
        };
        let mut told = self.trail.list(&filter, limit).await?;
        if self.flaw == Flaw::HidesActors {
            told.iter_mut().for_each(|entry| entry.actor.clear());
        }
        Ok(told)
    }
}

fn culprit(flaw: Flaw) -> AuditUnderTest {
    let AuditUnderTest { store, records, trail, keep } = AuditUnderTest::in_memory();
    let flawed = Arc::new(Flawed { records, trail, flaw });
    AuditUnderTest { store, records: flawed.clone(), trail: flawed, keep }
}

fn flawed() -> [AuditUnderTest; 6] {
    [
        Flaw::DropsRecords,
        Flaw::DropsAddresses,
        Flaw::NeverSweeps,
        Flaw::IgnoresFilters,
        Flaw::IgnoresPlaces,
        Flaw::HidesActors,
    ]
    .map(culprit)
}

mod caught {
    use super::flawed;

    devskyy_testkit::audit_contract!(each broken flawed);
}
