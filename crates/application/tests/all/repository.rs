//! The repository above the log: update by closure, bounded retry, and repeated requests.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use devskyy_application::{
    context::Actor,
    error::Error,
    es::{
        AppendError, AppendRequest, Appended, Claim, ClaimChange, EventContext, EventStore, Idempotency, Precondition,
        Repository,
    },
};
use devskyy_domain::kernel::{Aggregate, Decision, Refusal, RefusalKind, ids::AgentId};
use devskyy_testkit::{fakes::InMemoryEventStore, reads_through};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Counted {
    by: u64,
}
devskyy_domain::first_version!(Counted = "counter.counted");
devskyy_domain::event_set! {
    enum CounterEvent { Counted(Counted) }
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the counter is full")]
struct Full;
impl Refusal for Full {
    fn code(&self) -> &'static str {
        "counter.full"
    }
    fn kind(&self) -> RefusalKind {
        RefusalKind::Conflict
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Counter(u64);
impl Counter {
    fn count(&self, by: u64) -> Decision<Self> {
        match (self.0, by) {
            (_, 0) => Ok(vec![]),
            (present, by) if present + by > 100 => Err(Full),
            _ => Ok(vec![Counted { by }.into()]),
        }
    }
}
impl Aggregate for Counter {
    const CATEGORY: &'static str = "counter";
    type Id = AgentId;
    type Event = CounterEvent;
    type Error = Full;
    fn apply(&mut self, event: &CounterEvent) {
        let CounterEvent::Counted(counted) = event;
        self.0 += counted.by;
    }
}

/// A log to which another writer appends first, a given number of times.
struct Contested {
    log: InMemoryEventStore,
    rivals: AtomicUsize,
}

impl devskyy_application::es::Rewindable for Contested {}

#[async_trait]
impl EventStore for Contested {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        let before = self.rivals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if before.is_ok() {
            let mut rival = request.clone();
            rival.writes[0].precondition = Precondition::Any;
            self.log.append(rival).await?;
        }
        self.log.append(request).await
    }

    reads_through!(log);
}

fn contested(rivals: usize) -> Repository<Counter> {
    Repository::new(Arc::new(Contested { log: InMemoryEventStore::default(), rivals: AtomicUsize::new(rivals) }))
}

fn context() -> EventContext {
    Actor::system("test", Uuid::from_u128(1)).event_context(None)
}

fn id() -> AgentId {
    AgentId::from(Uuid::from_u128(7))
}

fn keyed(fingerprint: u8) -> Option<Idempotency> {
    Some(Idempotency { scope: Uuid::from_u128(9), key: "key".to_owned(), fingerprint: [fingerprint; 32] })
}

#[tokio::test]
async fn an_update_answers_with_the_state_after_it() {
    let updated = contested(0).update(context(), id(), None, |counter| counter.count(3)).await.unwrap();
    assert_eq!((updated.state, updated.version), (Counter(3), 1));
}

#[tokio::test]
async fn what_already_is_writes_nothing() {
    let updated = contested(0).update(context(), id(), None, |counter| counter.count(0)).await.unwrap();
    assert_eq!(updated.version, 0);
}

#[tokio::test]
async fn a_refusal_reaches_the_caller_with_its_code() {
    let refused = contested(0).update(context(), id(), None, |counter| counter.count(101)).await;
    assert!(matches!(refused, Err(Error::Refused(refused)) if refused.code == "counter.full"));
}

#[tokio::test]
async fn a_lost_race_is_decided_again_on_the_newer_state() {
    let updated = contested(2).update(context(), id(), None, |counter| counter.count(5)).await.unwrap();
    assert_eq!((updated.state, updated.version), (Counter(15), 3));
}

#[tokio::test]
async fn a_decision_that_no_longer_fits_the_newer_state_is_refused() {
    let refused = contested(1).update(context(), id(), None, |counter| counter.count(60)).await;
    assert!(matches!(refused, Err(Error::Refused(_))));
}

#[tokio::test]
async fn a_race_lost_again_and_again_is_given_back_to_the_caller() {
    let lost = contested(usize::MAX).update(context(), id(), None, |counter| counter.count(1)).await;
    assert!(matches!(lost, Err(Error::Contended)));
}

#[tokio::test]
async fn an_older_version_than_the_present_is_stale() {
    let counters = contested(0);
    counters.update(context(), id(), None, |counter| counter.count(1)).await.unwrap();
    let stale = counters.update(context(), id(), Some(0), |counter| counter.count(1)).await;
    assert!(matches!(stale, Err(Error::StaleVersion { expected: 0, actual: 1 })));
}

#[tokio::test]
async fn a_caller_that_names_its_version_never_wins_a_race_it_lost() {
    let stale = contested(1).update(context(), id(), Some(0), |counter| counter.count(1)).await;
    assert!(matches!(stale, Err(Error::StaleVersion { expected: 0, actual: 1 })));
}

#[tokio::test]
async fn a_state_is_folded_from_more_than_one_page_of_events() {
    let log = Arc::new(InMemoryEventStore::default());
    let counters = Repository::<Counter>::new(log.clone());
    let events = vec![CounterEvent::Counted(Counted { by: 1 }); 1_203];
    counters.create(context(), id(), &events, vec![], vec![], None).await.unwrap();
    assert_eq!(counters.load(id()).await.unwrap().state, Counter(1_203));
}

#[tokio::test]
async fn a_state_can_be_seen_as_of_an_earlier_version() {
    let counters = contested(0);
    counters.update(context(), id(), None, |counter| counter.count(1)).await.unwrap();
    counters.update(context(), id(), None, |counter| counter.count(2)).await.unwrap();
    assert_eq!(counters.load_at(id(), 1).await.unwrap().state, Counter(1));
}

#[tokio::test]
async fn a_repeated_creation_answers_with_the_first_one() {
    let counters = contested(0);
    let event = [Counted { by: 4 }.into()];
    counters.create(context(), id(), &event, vec![], vec![], keyed(1)).await.unwrap();
    let other = AgentId::from(Uuid::from_u128(8));
    let again = counters.create(context(), other, &event, vec![], vec![], keyed(1)).await.unwrap();
    assert_eq!((again.id, again.replayed), (id(), true));
}

#[tokio::test]
async fn a_repeated_creation_answers_with_the_state_as_it_was_then() {
    let counters = contested(0);
    let event = [Counted { by: 4 }.into()];
    counters.create(context(), id(), &event, vec![], vec![], keyed(1)).await.unwrap();
    counters.update(context(), id(), None, |counter| counter.count(5)).await.unwrap();
    let again = counters.create(context(), id(), &event, vec![], vec![], keyed(1)).await.unwrap();
    assert_eq!((again.loaded.state, again.loaded.version), (Counter(4), 1));
}

#[tokio::test]
async fn a_key_used_for_something_else_is_refused() {
    let counters = contested(0);
    let event = [Counted { by: 4 }.into()];
    counters.create(context(), id(), &event, vec![], vec![], keyed(1)).await.unwrap();
    let other = AgentId::from(Uuid::from_u128(8));
    let reused = counters.create(context(), other, &event, vec![], vec![], keyed(2)).await;
    assert!(matches!(reused, Err(Error::KeyReused)));
}

#[tokio::test]
async fn a_taken_value_is_told_apart_from_a_lost_race() {
    let counters = contested(0);
    let claim = |owner: u128| ClaimChange::Take {
        claim: Claim { scope: "counter.name".to_owned(), value: "one".to_owned() },
        owner: Uuid::from_u128(owner),
    };
    let event = [Counted { by: 4 }.into()];
    counters.create(context(), id(), &event, vec![claim(7)], vec![], None).await.unwrap();
    let other = AgentId::from(Uuid::from_u128(8));
    let taken = counters.create(context(), other, &event, vec![claim(8)], vec![], None).await;
    assert!(matches!(taken, Err(Error::ClaimTaken(claim)) if claim.scope == "counter.name"));
}
