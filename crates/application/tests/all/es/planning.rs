//! The planner against the simplest log there is: a list that takes one request at a time.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::es::{
    AppendRequest, Appended, Claim, ClaimChange, Facts, Idempotency, KeyFacts, LogHead, PlannedEvent, Precondition,
    Prepared, Rejection, ScopedKey, StreamFacts, StreamId, Wanted, planner,
};
use devskyy_testkit::contracts::event_store::{Request, key, lamp};
use proptest::prelude::*;
use uuid::Uuid;

/// A log as the planner's adapter would keep it, fed in batches.
#[derive(Default)]
struct Log {
    head: LogHead,
    events: Vec<PlannedEvent>,
    streams: HashMap<StreamId, StreamFacts>,
    claims: HashMap<Claim, Uuid>,
    keys: HashMap<ScopedKey, KeyFacts>,
}

impl Log {
    /// Gives the planner exactly what the batch names, as the adapters do.
    fn append(&mut self, batch: &[AppendRequest], now: DateTime<Utc>) -> Vec<Result<Appended, Rejection>> {
        let wanted = Wanted::of(batch);
        let mut facts = Facts { head: self.head, ..Facts::default() };
        facts.streams.extend(wanted.streams.iter().filter_map(|s| Some((*s, *self.streams.get(s)?))));
        facts.claims.extend(wanted.claims.iter().filter_map(|c| Some(((*c).clone(), *self.claims.get(*c)?))));
        let keys = wanted.keys.iter().map(|(scope, key)| (*scope, (*key).to_owned()));
        facts.keys.extend(keys.filter_map(|key| self.keys.get(&key).map(|found| (key.clone(), *found))));
        let batch: Vec<_> = batch.iter().map(|request| Prepared::new(request.clone()).unwrap()).collect();
        let plan = planner::plan(facts, &batch.iter().collect::<Vec<_>>(), now);
        self.events.extend(plan.events);
        self.streams.extend(plan.streams);
        for (claim, owner) in plan.claims {
            match owner {
                Some(owner) => self.claims.insert(claim, owner),
                None => self.claims.remove(&claim),
            };
        }
        self.keys.extend(plan.keys.into_iter().map(|key| (key.key, key.facts)));
        self.head = plan.head;
        plan.outcomes
    }
}

/// The model: what was accepted, as a list of stream and payload, and who holds what.
#[derive(Default)]
struct Model {
    events: Vec<(StreamId, String)>,
    claims: HashMap<Claim, Uuid>,
    keys: HashMap<ScopedKey, ([u8; 32], u64, u64)>,
}

impl Model {
    fn version(&self, stream: StreamId) -> u64 {
        self.events.iter().filter(|(of, _)| *of == stream).count() as u64
    }

    fn holds(&self, stream: StreamId, precondition: Precondition) -> bool {
        match precondition {
            Precondition::Any => true,
            Precondition::NoStream => self.version(stream) == 0,
            Precondition::Exists => self.version(stream) > 0,
            Precondition::Version(version) => self.version(stream) == version,
        }
    }

    /// First and last position, and whether it was a repetition; `None` where it is refused.
    fn append(&mut self, request: &AppendRequest) -> Option<(u64, u64, bool)> {
        let key = request.idempotency.as_ref().map(|it| ((it.scope, it.key.clone()), it.fingerprint));
        if let Some((fingerprint, first, last)) = key.as_ref().and_then(|(key, _)| self.keys.get(key)) {
            return key.is_some_and(|(_, asked)| asked == *fingerprint).then_some((*first, *last, true));
        }
        if !request.writes.iter().all(|write| self.holds(write.stream, write.precondition)) {
            return None;
        }
        let mut claims = self.claims.clone();
        for change in &request.claims {
            let holder = claims.get(change.claim()).copied();
            match change {
                ClaimChange::Take { owner, .. } if holder.is_some_and(|holder| holder != *owner) => return None,
                ClaimChange::Take { claim, owner } => drop(claims.insert(claim.clone(), *owner)),
                ClaimChange::Release { claim, owner } if holder == Some(*owner) => drop(claims.remove(claim)),
                ClaimChange::Release { .. } => {}
            }
        }
        self.claims = claims;
        let before = self.events.len() as u64;
        for write in &request.writes {
            self.events.extend(write.events.iter().map(|event| (write.stream, event.data.clone())));
        }
        let last = self.events.len() as u64;
        let first = if last > before { before + 1 } else { last };
        if let Some((key, fingerprint)) = key {
            self.keys.insert(key, (fingerprint, first, last));
        }
        Some((first, last, false))
    }
}

fn precondition() -> impl Strategy<Value = Precondition> {
    prop_oneof![
        4 => Just(Precondition::Any),
        1 => Just(Precondition::NoStream),
        1 => Just(Precondition::Exists),
        2 => (0u64..5).prop_map(Precondition::Version),
    ]
}

/// Few streams, names, owners and keys, so that requests meet.
fn request() -> impl Strategy<Value = AppendRequest> {
    let writes = prop::collection::btree_map(0u64..4, (precondition(), 0usize..3), 0..3);
    let claims = prop::collection::vec((any::<bool>(), 0u8..3, 1u128..4), 0..3);
    let repeat = prop::option::weighted(0.4, (0u128..2, 0u8..4, 0u8..2));
    (writes, claims, repeat, "[a-z]{3}").prop_map(|(writes, claims, repeat, note)| {
        let mut request = Request::default();
        for (stream, (precondition, events)) in writes {
            request = request.and(lamp(stream), precondition, &vec![note.as_str(); events]);
        }
        for (takes, name, owner) in claims {
            let name = format!("n{name}");
            request = if takes { request.taking(&name, owner) } else { request.releasing(&name, owner) };
        }
        let mut request = request.build();
        request.idempotency =
            repeat.map(|(scope, name, asked)| -> Idempotency { key(scope, &name.to_string(), asked) });
        request
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_batching_answers_and_records_what_one_request_at_a_time_would(
        batches in prop::collection::vec(prop::collection::vec(request(), 1..12), 1..6),
    ) {
        let (mut log, mut model) = (Log::default(), Model::default());
        let mut now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        for (turn, batch) in batches.iter().enumerate() {
            // Clocks jump in both directions.
            now += TimeDelta::seconds(if turn % 2 == 0 { 5 } else { -60 });
            let outcomes = log.append(batch, now);
            for (request, outcome) in batch.iter().zip(outcomes) {
                let answer = outcome.ok().map(|done| (done.first, done.last, done.replayed));
                prop_assert_eq!(answer, model.append(request), "{:?}", request);
            }
        }
        let recorded: Vec<_> = log.events.iter().map(|event| {
            (StreamId { category: "lamp", id: event.recorded.stream_id }, event.recorded.data.clone())
        }).collect();
        prop_assert_eq!(recorded, model.events);
        prop_assert_eq!(&log.claims, &model.claims);
    }

    #[test]
    fn no_order_of_requests_breaks_the_log(
        batches in prop::collection::vec(prop::collection::vec(request(), 1..12), 1..6),
    ) {
        let mut log = Log::default();
        for batch in &batches {
            log.append(batch, DateTime::UNIX_EPOCH);
        }
        let mut versions = HashMap::<Uuid, u64>::new();
        let mut numbers = HashMap::<Uuid, u64>::new();
        for (position, event) in (1u64..).zip(&log.events) {
            let of_stream = versions.entry(event.recorded.stream_id).or_default();
            *of_stream += 1;
            prop_assert_eq!((event.recorded.position, event.recorded.version), (position, *of_stream));
            prop_assert_eq!(event.stream_no, *numbers.entry(event.recorded.stream_id).or_insert(position));
        }
        prop_assert!(log.events.is_sorted_by_key(|event| event.recorded.recorded_at));
        prop_assert_eq!(log.head.position, log.events.len() as u64);
    }
}
