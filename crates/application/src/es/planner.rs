//! The rules of the log, as one pure function that all adapters share.
//!
//! An adapter holds its mutex, looks up the [`Facts`] a batch refers to, calls [`plan`] and writes the result. These
//! invariants hold for any order of requests: positions and each stream's versions have no gaps, time is monotonic, the
//! hash chain is unbroken, and each request is recorded as a whole or not at all.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

use super::{
    append::{Appended, Claim, ClaimChange, Idempotency, Precondition, StreamWrite, Written},
    chain::{self, Hash, Link},
    facts::{Facts, KeyFacts, Plan, PlannedEvent, PlannedKey, Rejection, StreamFacts},
    prepared::{Meta, Prepared},
    recorded::RecordedEvent,
};

/// Decides a batch of requests in order. Each one sees the effects of the accepted ones before it.
#[must_use]
pub fn plan(facts: Facts, requests: &[&Prepared], now: DateTime<Utc>) -> Plan {
    let mut planner = Planner::new(facts, now);
    for request in requests {
        let outcome = planner.decide(request);
        planner.plan.outcomes.push(outcome);
    }
    planner.plan
}

struct Planner {
    streams: HashMap<super::recorded::StreamId, StreamFacts>,
    claims: HashMap<Claim, Uuid>,
    keys: HashMap<super::facts::ScopedKey, KeyFacts>,
    now: DateTime<Utc>,
    plan: Plan,
}

/// Owners of claims after one request.
type Staged<'a> = BTreeMap<&'a Claim, Option<Uuid>>;

impl Planner {
    fn new(facts: Facts, now: DateTime<Utc>) -> Self {
        let now = now.trunc_subsecs(6).max(facts.head.recorded_at);
        Self {
            streams: facts.streams,
            claims: facts.claims,
            keys: facts.keys,
            now,
            plan: Plan {
                events: Vec::new(),
                streams: BTreeMap::new(),
                claims: BTreeMap::new(),
                keys: Vec::new(),
                outcomes: Vec::new(),
                head: facts.head,
            },
        }
    }

    fn decide(&mut self, prepared: &Prepared) -> Result<Appended, Rejection> {
        let request = prepared.request();
        if let Some(answer) = request.idempotency.as_ref().and_then(|idempotency| self.repeated(idempotency)) {
            return answer;
        }
        for write in &request.writes {
            self.check(write)?;
        }
        let claims = self.stage(&request.claims)?;
        self.keep_claims(claims);
        let appended = self.record(prepared);
        if let Some(idempotency) = &request.idempotency {
            self.remember(idempotency, &appended);
        }
        Ok(appended)
    }

    fn repeated(&self, idempotency: &Idempotency) -> Option<Result<Appended, Rejection>> {
        let used = self.keys.get(&(idempotency.scope, idempotency.key.clone()))?;
        Some(if used.fingerprint == idempotency.fingerprint {
            Ok(Appended { first: used.first, last: used.last, streams: Vec::new(), replayed: true })
        } else {
            Err(Rejection::KeyReused)
        })
    }

    fn check(&self, write: &StreamWrite) -> Result<(), Rejection> {
        let actual = self.streams.get(&write.stream).map_or(0, |stream| stream.version);
        let holds = match write.precondition {
            Precondition::Any => true,
            Precondition::NoStream => actual == 0,
            Precondition::Exists => actual > 0,
            Precondition::Version(version) => actual == version,
        };
        if holds {
            Ok(())
        } else {
            Err(Rejection::Conflict { stream: write.stream, expected: write.precondition, actual })
        }
    }

    fn stage<'a>(&self, changes: &'a [ClaimChange]) -> Result<Staged<'a>, Rejection> {
        let mut staged = Staged::new();
        for change in changes {
            let claim = change.claim();
            let holder = staged.get(claim).copied().unwrap_or_else(|| self.claims.get(claim).copied());
            match *change {
                ClaimChange::Take { owner, .. } if holder.is_none_or(|holder| holder == owner) => {
                    staged.insert(claim, Some(owner));
                }
                ClaimChange::Take { .. } => return Err(Rejection::ClaimTaken(claim.clone())),
                ClaimChange::Release { owner, .. } if holder == Some(owner) => {
                    staged.insert(claim, None);
                }
                ClaimChange::Release { .. } => {}
            }
        }
        Ok(staged)
    }

    fn keep_claims(&mut self, staged: Staged<'_>) {
        for (claim, owner) in staged {
            match owner {
                Some(owner) => self.claims.insert(claim.clone(), owner),
                None => self.claims.remove(claim),
            };
            self.plan.claims.insert(claim.clone(), owner);
        }
    }

    fn record(&mut self, prepared: &Prepared) -> Appended {
        let before = self.plan.head.position;
        let mut digests = prepared.digests().iter().copied();
        let writes = &prepared.request().writes;
        let streams = writes.iter().map(|write| self.record_stream(prepared, write, &mut digests)).collect();
        let last = self.plan.head.position;
        Appended { first: if last > before { before + 1 } else { last }, last, streams, replayed: false }
    }

    fn record_stream(
        &mut self,
        prepared: &Prepared,
        write: &StreamWrite,
        digests: &mut impl Iterator<Item = Hash>,
    ) -> Written {
        let next = self.plan.head.position + 1;
        let known = self.streams.get(&write.stream).copied();
        let mut stream = known.unwrap_or(StreamFacts { stream_no: next, version: 0 });
        for (event, digest) in write.events.iter().zip(digests) {
            stream.version += 1;
            let recorded = RecordedEvent {
                position: self.plan.head.position + 1,
                category: write.stream.category.into(),
                stream_id: write.stream.id,
                version: stream.version,
                event_id: chain::event_id(&write.stream, stream.version),
                event_type: event.event_type.clone(),
                schema_version: event.schema_version,
                data: event.data.clone(),
                context: prepared.request().context.clone(),
                recorded_at: self.now,
                hash: chain::GENESIS,
            };
            self.chain(recorded, stream.stream_no, digest, prepared.meta());
        }
        if !write.events.is_empty() {
            self.streams.insert(write.stream, stream);
            self.plan.streams.insert(write.stream, stream);
        }
        Written { stream: write.stream, version: stream.version }
    }

    fn chain(&mut self, mut recorded: RecordedEvent, stream_no: u64, data: Hash, meta: &Meta) {
        let link = Link {
            position: recorded.position,
            category: &recorded.category,
            stream_id: recorded.stream_id,
            version: recorded.version,
            event_id: recorded.event_id,
            correlation_id: recorded.context.correlation_id,
            causation_id: recorded.context.causation_id,
            event_type: &recorded.event_type,
            schema_version: recorded.schema_version,
            recorded_at: recorded.recorded_at.timestamp_micros(),
            data,
            meta: meta.digest,
        };
        recorded.hash = link.hash(&self.plan.head.hash);
        self.plan.head.position = recorded.position;
        self.plan.head.hash = recorded.hash;
        self.plan.head.recorded_at = recorded.recorded_at;
        self.plan.events.push(PlannedEvent { recorded, stream_no, meta: meta.text.clone() });
    }

    fn remember(&mut self, idempotency: &Idempotency, appended: &Appended) {
        let key = (idempotency.scope, idempotency.key.clone());
        let facts = KeyFacts { fingerprint: idempotency.fingerprint, first: appended.first, last: appended.last };
        self.keys.insert(key.clone(), facts);
        self.plan.keys.push(PlannedKey { key, facts, recorded_at: self.now });
    }
}
