//! The state of subscriptions, as reported to operators.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use devskyy_application::{
    es::{Checkpoints as _, Halt, Lease, Reader, SetAside as _},
    ports::Clock as _,
};
use devskyy_infrastructure::{
    es::{SqlCheckpoints, SqlEventStore, SqlSetAside, SubscriptionState, ahead_of_time, resume_after, subscriptions},
    system::SystemClock,
};
use devskyy_testkit::{
    contracts::event_store::{Request, lamp, stream},
    fakes::{FixedClock, SequentialIds},
};
use sea_orm::{ConnectionTrait as _, Statement};

use crate::databases::{Fresh, on_both_engines};

const READERS: [Reader; 2] =
    [Reader { name: "a.goes", categories: &["lamp"] }, Reader { name: "b.stops", categories: &["lamp"] }];

/// Ten events: eight of lamps, then two of switches.
async fn grown(fresh: &Fresh) {
    let log = SqlEventStore::start_shared(fresh.db.clone(), Arc::new(SystemClock), Vec::new()).await.unwrap();
    for n in 0..8 {
        Request::to(lamp(n), &["a"]).ask(&log).await.unwrap();
    }
    Request::to(stream("switch", 1), &["b", "c"]).ask(&log).await.unwrap();
    log.stop().await;
}

/// The hash of the event at a position.
async fn hash(fresh: &Fresh, position: u64) -> [u8; 32] {
    let sql = format!("SELECT hash FROM es_events WHERE position = {position}");
    let asked = Statement::from_string(fresh.db.backend(), sql);
    let row = fresh.db.reader.query_one_raw(asked).await.unwrap().unwrap();
    row.try_get_by_index::<Vec<u8>>(0).unwrap().try_into().unwrap()
}

async fn claimed(fresh: &Fresh, name: &str) -> (SqlCheckpoints, Lease) {
    let checkpoints = SqlCheckpoints::new(fresh.db.clone());
    let lease = checkpoints.claim(name, SequentialIds::nth(1), Duration::from_secs(60)).await.unwrap().unwrap();
    (checkpoints, lease)
}

async fn state(fresh: &Fresh, name: &str) -> SubscriptionState {
    let states = subscriptions(&fresh.db, &READERS).await.unwrap();
    states.into_iter().find(|state| state.name == name).unwrap()
}

/// One subscription that continues, and one that stopped before position 8.
async fn a_stopped_subscription_is_told_with_its_place_and_reason(fresh: Fresh) {
    grown(&fresh).await;
    let (checkpoints, going) = claimed(&fresh, "a.goes").await;
    assert!(checkpoints.advance(&going, 5, &hash(&fresh, 5).await).await.unwrap());
    let (checkpoints, stuck) = claimed(&fresh, "b.stops").await;
    assert!(checkpoints.halt(&stuck, 8, Halt::Stopped("it cannot be read")).await.unwrap());
    let odd = (3, "it is odd".to_owned());
    SqlSetAside::new(fresh.db.clone()).put("a.goes", odd.0, &odd.1, Duration::from_secs(60)).await.unwrap();
    let told = subscriptions(&fresh.db, &READERS).await.unwrap();
    let told: Vec<_> = told.into_iter().map(|it| (it.name, it.position, it.stopped, it.aside)).collect();
    let stopped = Some((8, "it cannot be read".to_owned()));
    assert_eq!(told, [("a.goes".to_owned(), 5, None, vec![odd]), ("b.stops".to_owned(), 7, stopped, vec![])]);
}

/// Three lamps wait behind position 5, but not the two switches.
async fn only_wanted_events_are_told_to_wait(fresh: Fresh) {
    grown(&fresh).await;
    let (checkpoints, going) = claimed(&fresh, "a.goes").await;
    assert!(checkpoints.advance(&going, 5, &hash(&fresh, 5).await).await.unwrap());
    let state = state(&fresh, "a.goes").await;
    assert_eq!((state.waiting.unwrap().events, state.is_behind()), (3, false));
}

/// What was recorded a day ago is still unprocessed.
async fn a_subscription_that_nobody_runs_falls_behind(fresh: Fresh) {
    let yesterday = FixedClock::default();
    let log = SqlEventStore::start(fresh.db.clone(), Arc::new(yesterday), Vec::new()).await.unwrap();
    Request::to(lamp(1), &["a"]).ask(&log).await.unwrap();
    log.stop().await;
    let (checkpoints, lease) = claimed(&fresh, "a.goes").await;
    checkpoints.release(&lease).await.unwrap();
    let state = state(&fresh, "a.goes").await;
    assert!(state.is_behind() && state.runner.is_none(), "{state:?}");
}

async fn whoever_holds_a_lease_is_told_with_its_end(fresh: Fresh) {
    claimed(&fresh, "a.goes").await;
    let runner = state(&fresh, "a.goes").await.runner.unwrap();
    assert!(runner.owner == SequentialIds::nth(1) && (50..=60).contains(&runner.lease_s), "{runner:?}");
}

async fn what_is_tried_again_and_again_is_told(fresh: Fresh) {
    grown(&fresh).await;
    let (checkpoints, lease) = claimed(&fresh, "a.goes").await;
    assert!(checkpoints.halt(&lease, 3, Halt::Delayed("the mailbox is full")).await.unwrap());
    let state = state(&fresh, "a.goes").await;
    assert_eq!((state.position, state.delayed), (2, Some((3, "the mailbox is full".to_owned()))));
}

async fn an_operator_has_a_subscription_go_on_elsewhere(fresh: Fresh) {
    grown(&fresh).await;
    let (checkpoints, lease) = claimed(&fresh, "a.goes").await;
    assert!(checkpoints.halt(&lease, 8, Halt::Stopped("it cannot be read")).await.unwrap());
    let beyond_the_end = resume_after(&fresh.db, "a.goes", 11).await.unwrap();
    let done = resume_after(&fresh.db, "a.goes", 4).await.unwrap();
    let old_lease_counts = checkpoints.advance(&lease, 9, &hash(&fresh, 9).await).await.unwrap();
    let state = state(&fresh, "a.goes").await;
    assert_eq!((beyond_the_end, done, old_lease_counts, state.position, state.stopped), (false, true, false, 4, None));
}

async fn what_was_set_aside_behind_where_one_goes_on_is_forgotten(fresh: Fresh) {
    grown(&fresh).await;
    claimed(&fresh, "a.goes").await;
    let aside = SqlSetAside::new(fresh.db.clone());
    for position in [3, 7] {
        aside.put("a.goes", position, "it cannot be read", Duration::ZERO).await.unwrap();
    }
    assert!(resume_after(&fresh.db, "a.goes", 4).await.unwrap());
    let left: Vec<_> = state(&fresh, "a.goes").await.aside.into_iter().map(|(position, _)| position).collect();
    assert_eq!(left, [3]);
}

/// A clock that was a day ahead leaves a trace.
async fn a_time_of_the_future_is_found(fresh: Fresh) {
    let tomorrow = FixedClock::at(SystemClock.now() + TimeDelta::days(1));
    let log = SqlEventStore::start(fresh.db.clone(), Arc::new(tomorrow), Vec::new()).await.unwrap();
    let before = ahead_of_time(&fresh.db).await.unwrap();
    Request::to(lamp(1), &["a"]).ask(&log).await.unwrap();
    let ahead = ahead_of_time(&fresh.db).await.unwrap();
    assert!(before.is_zero() && ahead > Duration::from_secs(86_000), "{before:?} {ahead:?}");
}

on_both_engines!(
    a_stopped_subscription_is_told_with_its_place_and_reason,
    a_subscription_that_nobody_runs_falls_behind,
    only_wanted_events_are_told_to_wait,
    whoever_holds_a_lease_is_told_with_its_end,
    what_is_tried_again_and_again_is_told,
    an_operator_has_a_subscription_go_on_elsewhere,
    what_was_set_aside_behind_where_one_goes_on_is_forgotten,
    a_time_of_the_future_is_found,
);
