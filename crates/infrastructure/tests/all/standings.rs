//! Which standings are cached, and for how long.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{error::PortError, identity::Standings};
use devskyy_domain::{
    identity::PlatformRole,
    kernel::ids::{SessionId, UserId},
};
use devskyy_infrastructure::identity::CachedStandings;
use devskyy_testkit::fakes::SequentialIds;

/// Counts the queries and accepts one user.
#[derive(Default)]
struct Counting(AtomicU64);

#[async_trait]
impl Standings for Counting {
    async fn of(&self, user: UserId, _: SessionId, _: DateTime<Utc>) -> Result<Option<PlatformRole>, PortError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok((user == person(1)).then_some(PlatformRole::Member))
    }

    fn forget(&self, _: SessionId) {}
}

fn person(n: u64) -> UserId {
    SequentialIds::nth(n).into()
}

fn at(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::milliseconds(milliseconds)
}

/// Checks a user's session at these instants, and returns how many queries were made.
async fn questions(user: UserId, instants: &[i64]) -> u64 {
    let behind = Arc::new(Counting::default());
    let standings = CachedStandings::new(behind.clone());
    for milliseconds in instants {
        standings.of(user, SequentialIds::nth(50).into(), at(*milliseconds)).await.unwrap();
    }
    behind.0.load(Ordering::Relaxed)
}

#[tokio::test]
async fn an_answer_is_remembered_for_a_moment() {
    assert_eq!(questions(person(1), &[0, 10, 1_999]).await, 1);
}

#[tokio::test]
async fn an_answer_is_asked_again_well_within_five_seconds() {
    assert_eq!(questions(person(1), &[0, 2_000]).await, 2);
}

#[tokio::test]
async fn a_clock_that_goes_back_makes_no_answer_last_longer() {
    assert_eq!(questions(person(1), &[0, -1]).await, 2);
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    assert_eq!(questions(person(2), &[0, 0]).await, 2);
}

#[tokio::test]
async fn what_is_forgotten_is_asked_again() {
    let behind = Arc::new(Counting::default());
    let (standings, session) = (CachedStandings::new(behind.clone()), SequentialIds::nth(50).into());
    standings.of(person(1), session, at(0)).await.unwrap();
    standings.forget(session);
    standings.of(person(1), session, at(0)).await.unwrap();
    assert_eq!(behind.0.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn an_answer_about_one_person_is_not_given_for_another() {
    let (standings, session) = (CachedStandings::new(Arc::new(Counting::default())), SequentialIds::nth(50).into());
    standings.of(person(1), session, at(0)).await.unwrap();
    assert_eq!(standings.of(person(2), session, at(0)).await.unwrap(), None);
}
