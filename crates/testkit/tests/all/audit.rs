//! The trail in memory keeps every promise, and the contract catches keepers that break one.

use std::{panic::AssertUnwindSafe, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    audit::{AuditEntry, AuditFilter, AuditTrail, Origin, SecurityRecord, SecurityRecords},
    error::PortError,
};
use devskyy_testkit::contracts::audit::{self as promise, AuditUnderTest};
use futures_util::FutureExt;

async fn in_memory() -> AuditUnderTest {
    AuditUnderTest::in_memory()
}

devskyy_testkit::audit_contract!(in_memory);

async fn is_caught(promise: impl Future<Output = ()>) -> bool {
    AssertUnwindSafe(promise).catch_unwind().await.is_err()
}

/// A keeper with one flaw.
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
            // Walks on a few times, so that the walk ends.
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

#[tokio::test]
async fn a_keeper_that_drops_records_is_caught() {
    assert!(is_caught(promise::a_record_is_told_as_it_was_kept(&culprit(Flaw::DropsRecords))).await);
}

#[tokio::test]
async fn a_keeper_that_drops_addresses_is_caught() {
    assert!(is_caught(promise::a_fact_is_told_with_where_it_came_from(&culprit(Flaw::DropsAddresses))).await);
}

#[tokio::test]
async fn a_keeper_that_never_sweeps_is_caught() {
    assert!(is_caught(promise::a_sweep_forgets_old_records_and_no_fact(&culprit(Flaw::NeverSweeps))).await);
}

#[tokio::test]
async fn a_trail_that_ignores_filters_is_caught() {
    assert!(is_caught(promise::a_filter_narrows_the_trail_down(&culprit(Flaw::IgnoresFilters))).await);
}

#[tokio::test]
async fn a_trail_that_loses_its_place_among_equals_is_caught() {
    let culprit = culprit(Flaw::IgnoresPlaces);
    assert!(is_caught(promise::a_walk_tells_everything_once_the_newest_first(&culprit)).await);
}

#[tokio::test]
async fn a_trail_that_hides_who_it_was_is_caught() {
    assert!(is_caught(promise::a_fact_is_told_with_actor_and_target(&culprit(Flaw::HidesActors))).await);
}
