//! The contract of the queue for runs that only have to end.
#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

use std::time::Duration;

use chrono::TimeDelta;
use devskyy_application::runs::Appetite;
use devskyy_domain::runs::{Order, Priority};

use super::{
    RunsUnderTest,
    queue::{HUNGRY, all, taken},
    run,
};

/// A worker that only has slots for runs that have to end.
const FULL: Appetite = Appetite { most: 0, ending: 1, ..HUNGRY };

/// A cancelled run behind a more urgent backlog, in a project whose share is exhausted.
async fn stopped_behind_a_backlog(runs: &RunsUnderTest) {
    runs.given_run(100, 1, Priority::Low).await;
    taken(runs, "ada").await;
    runs.claimed(100).await;
    for n in 1..=12 {
        runs.given_run(n, 1, Priority::High).await;
    }
    runs.queue.claim("kim", Appetite { most: 1, ..HUNGRY }).await.unwrap();
    runs.happens(100, |run, now| run.cancel("user:eve", None, now)).await;
}

/// Cancelled runs come first, however long the queue is.
pub async fn a_cancelled_run_goes_before_a_backlog(runs: &RunsUnderTest) {
    stopped_behind_a_backlog(runs).await;
    let modest = Appetite { most: 2, per_project: Some(2), ..HUNGRY };
    assert_eq!(all(&runs.queue.claim("eve", modest).await.unwrap()), [run(100), run(2)]);
}

/// A worker without free slots still ends cancelled runs.
pub async fn a_cancelled_run_finds_room_at_a_worker_that_has_none(runs: &RunsUnderTest) {
    stopped_behind_a_backlog(runs).await;
    let modest = Appetite { per_project: Some(1), own_share: Some(0), ..FULL };
    assert_eq!(all(&runs.queue.claim("eve", modest).await.unwrap()), [run(100)]);
}

/// Overdue runs come before more urgent ones.
pub async fn an_overdue_low_run_ends_under_high_load(runs: &RunsUnderTest) {
    let deadline = runs.clock.now() + TimeDelta::milliseconds(200);
    runs.given_order(100, |order| Order { deadline, priority: Priority::Low, ..order }).await;
    for n in 1..=12 {
        runs.given_run(n, 1, Priority::High).await;
    }
    runs.time.pass(Duration::from_millis(300)).await;
    assert_eq!(all(&runs.queue.claim("eve", FULL).await.unwrap()), [run(100)]);
}

/// Runs that only have to end take no regular slot and are leased once.
pub async fn what_ends_is_handed_out_beside_what_goes_on(runs: &RunsUnderTest) {
    for n in [101, 102, 103] {
        let deadline = runs.clock.now() + TimeDelta::milliseconds(200);
        runs.given_order(n, |order| Order { deadline, ..order }).await;
    }
    runs.given_run(1, 2, Priority::Low).await;
    runs.time.pass(Duration::from_millis(300)).await;
    let appetite = Appetite { most: 1, ending: 2, own_share: Some(1), ..HUNGRY };
    let mut both = Vec::new();
    for _ in 0..2 {
        both.extend(all(&runs.queue.claim("ada", appetite).await.unwrap()));
    }
    both.sort();
    assert_eq!(both, [run(1), run(101), run(102), run(103)]);
}

/// An otherwise idle worker knows the next deadline.
pub async fn the_queue_says_when_a_queued_run_must_end(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Normal).await;
    let due = runs.queue.claim("ada", FULL).await.unwrap().next_due.unwrap();
    assert!(due > Duration::from_secs(3_500) && due <= Duration::from_secs(3_600), "{due:?}");
}
