//! The planner compared with the simplest possible log.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::es::{
    AppendError, AppendRequest, Appended, Claim, Facts, KeyFacts, LogHead, PlannedEvent, Prepared, Rejection,
    ScopedKey, StreamFacts, StreamId, Wanted, planner,
};
use devskyy_testkit::reference_log::{Answer, ReferenceLog, request};
use proptest::prelude::*;
use uuid::Uuid;

/// A log as the planner's adapter would store it, fed in batches.
#[derive(Default)]
struct Log {
    head: LogHead,
    events: Vec<PlannedEvent>,
    streams: HashMap<StreamId, StreamFacts>,
    claims: HashMap<Claim, Uuid>,
    keys: HashMap<ScopedKey, KeyFacts>,
}

impl Log {
    /// Passes the planner exactly what the batch refers to, as the adapters do.
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_batching_answers_and_records_what_one_request_at_a_time_would(
        batches in prop::collection::vec(prop::collection::vec(request(), 1..12), 1..6),
    ) {
        let (mut log, mut model) = (Log::default(), ReferenceLog::default());
        let mut now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        for (turn, batch) in batches.iter().enumerate() {
            // Clocks jump in both directions.
            now += TimeDelta::seconds(if turn % 2 == 0 { 5 } else { -60 });
            let outcomes = log.append(batch, now);
            for (request, outcome) in batch.iter().zip(outcomes) {
                let answer = Answer::of(outcome.map_err(AppendError::from));
                prop_assert_eq!(answer, model.answer(request), "{:?}", request);
            }
        }
        let recorded: Vec<_> = log.events.iter().map(|PlannedEvent { recorded: event, .. }| {
            (StreamId { category: "lamp", id: event.stream_id }, event.version, event.data.clone())
        }).collect();
        prop_assert_eq!(recorded, model.events);
        let held: BTreeMap<_, _> = log.claims.into_iter().map(|(claim, owner)| ((claim.scope, claim.value), owner)).collect();
        prop_assert_eq!(held, model.claims);
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
