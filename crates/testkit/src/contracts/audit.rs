//! The contract of the audit trail. `audit_contract!` creates one test per promise; it takes an async function that
//! returns an [`AuditUnderTest`] over an empty log.

#![expect(clippy::unwrap_used, reason = "a promise that is broken stops its test")]

use std::{any::Any, net::IpAddr, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{
    audit::{AuditEntry, AuditFilter, AuditTrail, Origin, Outcome, SecurityEvent, SecurityRecord, SecurityRecords},
    es::{AppendRequest, EventContext, EventStore, Precondition, Repository},
};
use devskyy_domain::{
    kernel::ids::{ProjectId, UserId},
    projects::{Project, ProjectName},
};
use uuid::Uuid;

use crate::fakes::{InMemoryAudit, InMemoryEventStore, SequentialIds};

/// A trail over one log.
pub struct AuditUnderTest {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// The writer of security records.
    pub records: Arc<dyn SecurityRecords>,
    /// The queries.
    pub trail: Arc<dyn AuditTrail>,
    /// Resources that must live as long.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl AuditUnderTest {
    /// The in-memory trail.
    #[must_use]
    pub fn in_memory() -> Self {
        let store = Arc::new(InMemoryEventStore::default());
        let audit = InMemoryAudit::following(&store);
        Self { store, records: audit.clone(), trail: audit, keep: Box::new(()) }
    }

    async fn told(&self, filter: AuditFilter) -> Vec<AuditEntry> {
        self.trail.list(&filter, 100).await.unwrap()
    }
}

const fn id(n: u64) -> Uuid {
    SequentialIds::nth(n)
}

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn address() -> IpAddr {
    IpAddr::from([203, 0, 113, 7])
}

/// A record with that number, as many seconds after noon.
fn record(n: u64, event: SecurityEvent) -> SecurityRecord {
    SecurityRecord {
        id: id(n),
        at: noon() + TimeDelta::seconds(i64::try_from(n).unwrap()),
        event,
        actor: format!("user:{}", id(1)),
        source: Some(address()),
        project: Some(id(10).into()),
        target: Some("members.write".to_owned()),
        correlation_id: id(900),
    }
}

/// Records the creation of a project.
async fn fact(audit: &AuditUnderTest, project: ProjectId) {
    let owner = UserId::from(id(1));
    let events = Project::default().create(&ProjectName::parse("Lighthouse").unwrap(), owner, false).unwrap();
    let context = EventContext {
        actor: format!("user:{owner}"),
        project: Some(project),
        correlation_id: id(901),
        causation_id: id(901),
        source: Some(address()),
        traceparent: None,
    };
    let writes = vec![Repository::<Project>::write(project, Precondition::NoStream, &events).unwrap()];
    audit.store.append(AppendRequest { writes, claims: vec![], idempotency: None, context }).await.unwrap();
}

/// An event has its actor and target.
pub async fn a_fact_is_told_with_actor_and_target(audit: &AuditUnderTest) {
    fact(audit, id(10).into()).await;
    let told = audit.told(AuditFilter::default()).await.pop().unwrap();
    assert_eq!((&*told.kind, told.outcome, told.project), ("project.created", Outcome::Success, Some(id(10).into())));
    assert_eq!((told.actor, told.target), (format!("user:{}", id(1)), Some(format!("project:{}", id(10)))));
}

/// An event has its source address once that is known.
pub async fn a_fact_is_told_with_where_it_came_from(audit: &AuditUnderTest) {
    fact(audit, id(10).into()).await;
    assert_eq!(audit.told(AuditFilter::default()).await[0].source, None);
    audit.records.locate(Origin { correlation_id: id(901), source: address(), at: noon() });
    assert_eq!(audit.told(AuditFilter::default()).await[0].source.as_deref(), Some("203.0.113.7"));
}

/// A record is returned unchanged.
pub async fn a_record_is_told_as_it_was_kept(audit: &AuditUnderTest) {
    audit.records.keep(record(1, SecurityEvent::AuthzFail));
    let told = audit.told(AuditFilter::default()).await.pop().unwrap();
    assert_eq!((&*told.kind, told.outcome, told.correlation_id), ("authz_fail", Outcome::Failure, id(900)));
    assert_eq!((told.source.as_deref(), told.target.as_deref()), (Some("203.0.113.7"), Some("members.write")));
    assert_eq!((told.place.at, told.project), (noon() + TimeDelta::seconds(1), Some(id(10).into())));
}

/// Paging with cursors returns everything once, the newest first, even for equal times.
pub async fn a_walk_tells_everything_once_the_newest_first(audit: &AuditUnderTest) {
    for n in 1..=5 {
        audit.records.keep(SecurityRecord { at: noon(), ..record(n, SecurityEvent::LoginFail) });
    }
    fact(audit, id(10).into()).await;
    let (mut walked, mut filter) = (Vec::new(), AuditFilter::default());
    loop {
        let part = audit.trail.list(&filter, 2).await.unwrap();
        let Some(last) = part.last() else { break };
        assert!(part.len() <= 2);
        filter.before = Some(last.place);
        walked.extend(part.into_iter().map(|entry| entry.place));
    }
    let all: Vec<_> = audit.told(AuditFilter::default()).await.into_iter().map(|entry| entry.place).collect();
    assert!(walked.is_sorted_by(|left, right| left > right), "{walked:?}");
    assert_eq!((walked.len(), walked), (6, all));
}

/// Each filter applies to events and records alike.
pub async fn a_filter_narrows_the_trail_down(audit: &AuditUnderTest) {
    audit.records.keep(record(1, SecurityEvent::LoginFail));
    audit.records.keep(SecurityRecord { project: None, ..record(2, SecurityEvent::LoginSuccess) });
    audit.records.keep(SecurityRecord { actor: "anonymous".to_owned(), ..record(3, SecurityEvent::LoginFail) });
    fact(audit, id(11).into()).await;
    let any = AuditFilter::default;
    let second = noon() + TimeDelta::seconds(2);
    for (filter, count) in [
        (AuditFilter { kind: Some("authn_login_fail".to_owned()), ..any() }, 2),
        (AuditFilter { kind: Some("project.created".to_owned()), ..any() }, 1),
        (AuditFilter { project: Some(id(10).into()), ..any() }, 2),
        (AuditFilter { project: Some(id(11).into()), ..any() }, 1),
        (AuditFilter { actor: Some("anonymous".to_owned()), ..any() }, 1),
        (AuditFilter { since: Some(second), until: Some(second + TimeDelta::seconds(1)), ..any() }, 1),
    ] {
        assert_eq!(audit.told(filter.clone()).await.len(), count, "{filter:?}");
    }
}

/// A sweep deletes old records, but no events.
pub async fn a_sweep_forgets_old_records_and_no_fact(audit: &AuditUnderTest) {
    fact(audit, id(10).into()).await;
    audit.records.locate(Origin { correlation_id: id(901), source: address(), at: noon() });
    audit.records.keep(record(1, SecurityEvent::LoginFail));
    audit.records.keep(record(9, SecurityEvent::LoginFail));
    let swept = audit.records.sweep(noon() + TimeDelta::seconds(5)).await.unwrap();
    let told = audit.told(AuditFilter::default()).await;
    let fact = told.iter().find(|entry| entry.kind == "project.created");
    assert_eq!((swept, told.len(), fact.unwrap().source.clone()), (1, 2, None));
}

/// Creates a test for each promise of the trail.
#[macro_export]
macro_rules! audit_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) audit] =>
            a_fact_is_told_with_actor_and_target,
            a_fact_is_told_with_where_it_came_from,
            a_record_is_told_as_it_was_kept,
            a_walk_tells_everything_once_the_newest_first,
            a_filter_narrows_the_trail_down,
            a_sweep_forgets_old_records_and_no_fact,
        }
    };
}
