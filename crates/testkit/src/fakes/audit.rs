use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    audit::{
        AuditEntry, AuditFilter, AuditPlace, AuditTrail, Origin, Outcome, SecurityRecord, SecurityRecords, is_told,
    },
    error::PortError,
    es::RecordedEvent,
};
use uuid::Uuid;

use super::InMemoryEventStore;

/// The trail in memory: events of an in-memory log, and security records.
#[derive(Debug, Default)]
pub struct InMemoryAudit(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    facts: Vec<AuditEntry>,
    records: Vec<AuditEntry>,
    origins: HashMap<Uuid, Origin>,
}

impl InMemoryAudit {
    /// A trail that follows a log.
    #[must_use]
    pub fn following(store: &InMemoryEventStore) -> Arc<Self> {
        let audit = Arc::new(Self::default());
        let follower = audit.clone();
        store.follow(move |event| {
            if is_told(&event.category, &event.event_type) {
                follower.kept().facts.push(fact(event));
            }
        });
        audit
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fact(event: &RecordedEvent) -> AuditEntry {
    let itself = (event.category == "project").then(|| event.stream_id.into());
    AuditEntry {
        place: AuditPlace { at: event.recorded_at, id: event.event_id },
        kind: event.event_type.to_string(),
        actor: event.context.actor.clone(),
        source: None,
        outcome: Outcome::Success,
        project: itself.or(event.context.project),
        target: Some(format!("{}:{}", event.category, event.stream_id)),
        correlation_id: event.context.correlation_id,
    }
}

fn is_wanted(entry: &AuditEntry, filter: &AuditFilter) -> bool {
    let AuditFilter { project, kind, actor, since, until, before } = filter;
    (project.is_none() || entry.project == *project)
        && kind.as_ref().is_none_or(|kind| entry.kind == *kind)
        && actor.as_ref().is_none_or(|actor| entry.actor == *actor)
        && since.is_none_or(|since| entry.place.at >= since)
        && until.is_none_or(|until| entry.place.at < until)
        && before.is_none_or(|before| entry.place < before)
}

#[async_trait]
impl SecurityRecords for InMemoryAudit {
    fn keep(&self, record: SecurityRecord) {
        self.kept().records.push(AuditEntry {
            place: AuditPlace { at: record.at, id: record.id },
            kind: record.event.as_str().to_owned(),
            actor: record.actor,
            source: record.source.map(|source| source.to_string()),
            outcome: record.event.outcome(),
            project: record.project,
            target: record.target,
            correlation_id: record.correlation_id,
        });
    }

    fn locate(&self, origin: Origin) {
        self.kept().origins.entry(origin.correlation_id).or_insert(origin);
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        let mut kept = self.kept();
        let there = kept.records.len();
        kept.records.retain(|record| record.place.at >= before);
        kept.origins.retain(|_, origin| origin.at >= before);
        Ok((there - kept.records.len()) as u64)
    }
}

#[async_trait]
impl AuditTrail for InMemoryAudit {
    async fn list(&self, filter: &AuditFilter, limit: u64) -> Result<Vec<AuditEntry>, PortError> {
        let kept = self.kept();
        let located = |fact: &AuditEntry| {
            let origin = kept.origins.get(&fact.correlation_id);
            AuditEntry { source: origin.map(|origin| origin.source.to_string()), ..fact.clone() }
        };
        let mut all: Vec<_> = kept.facts.iter().map(located).chain(kept.records.iter().cloned()).collect();
        all.retain(|entry| is_wanted(entry, filter));
        all.sort_by_key(|entry| std::cmp::Reverse(entry.place));
        all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(all)
    }
}
