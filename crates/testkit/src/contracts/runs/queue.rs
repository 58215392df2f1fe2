//! The contract of the queue of runs.
#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

use std::{collections::BTreeSet, time::Duration};

use chrono::TimeDelta;
use devskyy_application::runs::{Appetite, Claim, Claims};
use devskyy_domain::{
    kernel::{
        Json,
        ids::{ApprovalId, RunId},
    },
    projects::Project,
    runs::{Choice, Decided, Ending, Order, Place, Priority, Progress, Waiting},
    workflow::Denial,
};
use uuid::Uuid;

use super::{BRIEF, LEASE, RunsUnderTest, run, user};

pub(super) const HUNGRY: Appetite = Appetite { most: 10, ending: 10, per_project: None, own_share: None, lease: LEASE };

async fn look(runs: &RunsUnderTest, worker: &str) -> Claims {
    runs.queue.claim(worker, HUNGRY).await.unwrap()
}

async fn one_by_one(runs: &RunsUnderTest, times: usize) -> Vec<RunId> {
    let mut order = Vec::new();
    for _ in 0..times {
        let claims = runs.queue.claim("ada", Appetite { most: 1, ..HUNGRY }).await.unwrap();
        order.extend(claims.runs.into_iter().map(|claim| claim.run));
    }
    order
}

pub(super) fn all(claims: &Claims) -> Vec<RunId> {
    claims.runs.iter().map(|claim| claim.run).collect()
}

pub(super) async fn taken(runs: &RunsUnderTest, worker: &str) -> Vec<RunId> {
    all(&look(runs, worker).await)
}

/// Claims everything with a short lease.
async fn taken_briefly(runs: &RunsUnderTest, worker: &str) {
    runs.queue.claim(worker, Appetite { lease: BRIEF, ..HUNGRY }).await.unwrap();
}

fn assert_nothing(claims: &Claims) {
    let told = (claims.runs.len(), claims.next_due, claims.held_back);
    assert_eq!(told, (0, None, false));
}

/// A worker whose own clock is wrong gets the queue's time.
pub async fn a_look_tells_the_time_of_the_queue(runs: &RunsUnderTest) {
    let apart = (look(runs, "ada").await.at - runs.clock.now()).abs();
    assert!(apart < TimeDelta::minutes(1), "{apart}");
}

/// Two workers never get the same run.
pub async fn a_ready_run_is_handed_out_once(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Normal).await;
    assert_eq!(look(runs, "ada").await.runs, [Claim { run: run(1), fence: 1 }]);
    assert_eq!(taken(runs, "eve").await, []);
    assert_eq!(taken(runs, "ada").await, [], "not even to its holder");
}

/// Priority comes first, then age.
pub async fn the_most_urgent_runs_come_first(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Low).await;
    runs.given_run(2, 1, Priority::Normal).await;
    runs.given_run(3, 1, Priority::High).await;
    runs.given_run(4, 1, Priority::Normal).await;
    assert_eq!(one_by_one(runs, 4).await, [run(3), run(2), run(4), run(1)]);
}

/// One project's backlog does not delay another's.
pub async fn projects_take_turns(runs: &RunsUnderTest) {
    for n in 1..=3 {
        runs.given_run(n, 1, Priority::High).await;
    }
    runs.given_run(4, 2, Priority::Low).await;
    assert_eq!(one_by_one(runs, 4).await, [run(1), run(4), run(2), run(3)]);
}

/// A project's held runs never exceed its limit, however many are due.
pub async fn a_project_gets_no_more_than_its_share(runs: &RunsUnderTest) {
    for n in 1..=3 {
        runs.given_run(n, 1, Priority::Normal).await;
    }
    runs.given_run(4, 2, Priority::Normal).await;
    let claims = runs.queue.claim("ada", Appetite { per_project: Some(2), ..HUNGRY }).await.unwrap();
    let taken: Vec<_> = claims.runs.iter().map(|claim| claim.run).collect();
    assert_eq!((taken, claims.held_back), (vec![run(1), run(4), run(2)], true));
}

/// A waiting run does not count towards the limit.
pub async fn a_parked_run_makes_room_in_its_project(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Normal).await;
    runs.given_run(2, 1, Priority::Normal).await;
    let modest = Appetite { per_project: Some(1), ..HUNGRY };
    runs.queue.claim("ada", modest).await.unwrap();
    runs.claimed(1).await;
    let until = runs.clock.now() + TimeDelta::hours(1);
    runs.happens(1, |run, _| run.park(run.fence(), &[Waiting::Approval].into(), until)).await;
    assert_eq!(runs.queue.claim("eve", modest).await.unwrap().runs, [Claim { run: run(2), fence: 1 }]);
}

/// The limit holds for concurrent looks, too.
pub async fn a_share_is_not_exceeded_by_many_at_once(runs: &RunsUnderTest) {
    for n in 1..=20 {
        runs.given_run(n, 1, Priority::Normal).await;
    }
    let names: Vec<_> = (0..8).map(|n| format!("worker-{n}")).collect();
    let appetite = Appetite { most: 3, per_project: Some(5), ..HUNGRY };
    let asked = names.iter().map(|name| runs.queue.claim(name, appetite));
    let claims = futures_util::future::join_all(asked).await;
    assert_eq!(claims.into_iter().map(|claims| claims.unwrap().runs.len()).sum::<usize>(), 5);
}

/// Long runs of one project leave slots for others at each worker.
pub async fn a_project_gets_no_more_than_its_share_of_a_worker(runs: &RunsUnderTest) {
    for n in 1..=4 {
        runs.given_run(n, 1, Priority::Normal).await;
    }
    let appetite = Appetite { own_share: Some(2), ..HUNGRY };
    assert_eq!(all(&runs.queue.claim("ada", appetite).await.unwrap()), [run(1), run(2)]);
    runs.given_run(5, 2, Priority::Low).await;
    assert_eq!(all(&runs.queue.claim("ada", appetite).await.unwrap()), [run(5)]);
}

/// The share of one worker does not limit another.
pub async fn what_one_worker_leaves_to_others_another_takes(runs: &RunsUnderTest) {
    for n in 1..=4 {
        runs.given_run(n, 1, Priority::Normal).await;
    }
    let appetite = Appetite { own_share: Some(2), ..HUNGRY };
    runs.queue.claim("ada", appetite).await.unwrap();
    assert_eq!(all(&runs.queue.claim("eve", appetite).await.unwrap()), [run(3), run(4)]);
}

/// Runs of a vanished worker become claimable.
pub async fn a_lapsed_lease_is_claimable(runs: &RunsUnderTest) {
    runs.given_run(2, 1, Priority::Normal).await;
    taken(runs, "kim").await;
    runs.given_run(1, 1, Priority::Normal).await;
    taken_briefly(runs, "ada").await;
    runs.claimed(1).await;
    runs.time.pass(BRIEF * 2).await;
    assert_eq!(look(runs, "eve").await.runs, [Claim { run: run(1), fence: 2 }], "and not what Kim holds");
}

/// A worker that renews its lease keeps its run.
pub async fn a_renewed_lease_lasts_longer(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Normal).await;
    taken_briefly(runs, "ada").await;
    runs.claimed(1).await;
    assert!(runs.queue.renew("ada", Claim { run: run(1), fence: 1 }, LEASE).await.unwrap());
    runs.time.pass(BRIEF * 2).await;
    assert_eq!(taken(runs, "eve").await, []);
}

/// A cancelled run is claimable before its lease lapses.
pub async fn a_lease_older_than_the_fence_is_no_obstacle(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Normal).await;
    taken(runs, "ada").await;
    runs.claimed(1).await;
    runs.happens(1, |run, now| run.cancel("user:eve", None, now)).await;
    assert_eq!(look(runs, "eve").await.runs, [Claim { run: run(1), fence: 3 }]);
}

/// A worker's next renewal shows that it has lost the run.
pub async fn a_holder_whose_fence_has_passed_cannot_renew(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Normal).await;
    taken(runs, "ada").await;
    runs.claimed(1).await;
    let own = Claim { run: run(1), fence: 1 };
    assert!(!runs.queue.renew("eve", own, LEASE).await.unwrap(), "it is not hers");
    runs.happens(1, |run, now| run.cancel("user:eve", None, now)).await;
    assert!(!runs.queue.renew("ada", own, LEASE).await.unwrap());
}

/// A worker that stops does not make others wait.
pub async fn a_lease_given_back_is_over(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Normal).await;
    taken(runs, "ada").await;
    runs.queue.release("ada", Claim { run: run(1), fence: 1 }).await.unwrap();
    assert_eq!(taken(runs, "eve").await, [run(1)]);
}

/// A late release does not end another worker's lease.
pub async fn a_lease_of_another_fence_is_not_given_back(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Normal).await;
    taken(runs, "ada").await;
    runs.queue.release("ada", Claim { run: run(1), fence: 7 }).await.unwrap();
    runs.queue.release("eve", Claim { run: run(1), fence: 1 }).await.unwrap();
    assert_eq!(taken(runs, "eve").await, []);
}

/// A timer makes a run claimable.
pub async fn a_waiting_run_is_claimable_when_it_is_due(runs: &RunsUnderTest) {
    for (n, time) in [(2, TimeDelta::hours(1)), (1, TimeDelta::milliseconds(200))] {
        runs.given_run(n, 1, Priority::Normal).await;
        taken(runs, "ada").await;
        runs.claimed(n).await;
        let until = runs.clock.now() + time;
        runs.happens(n, |run, _| run.park(run.fence(), &[Waiting::Timer].into(), until)).await;
    }
    runs.time.pass(Duration::from_millis(250)).await;
    assert_eq!(taken(runs, "eve").await, [run(1)], "and not the one that waits for an hour");
}

/// The answer makes the run claimable in the same append.
pub async fn an_answer_makes_a_waiting_run_claimable(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Normal).await;
    taken(runs, "ada").await;
    runs.claimed(1).await;
    let approval = ApprovalId::from(Uuid::from_u128(9));
    let (place, prompt, at) = (Place::step("ask"), "go?".to_owned(), runs.clock.now());
    let (data, on_deny, call, expires_at) = (Json::Null, Denial::Fail, None, None);
    let ask = Progress::Ask { place, approval, prompt, data, on_deny, call, expires_at, at };
    runs.reported(1, vec![ask]).await;
    let until = runs.clock.now() + TimeDelta::hours(1);
    runs.happens(1, |run, _| run.park(run.fence(), &[Waiting::Approval].into(), until)).await;
    assert_eq!(taken(runs, "eve").await, []);
    runs.happens(1, |run, now| {
        let decided = Decided { choice: Choice::Approve, edit: None, reason: None, by: "user:eve" };
        run.decide_approval(approval, &decided, now)
    })
    .await;
    assert_eq!(taken(runs, "eve").await, [run(1)]);
}

/// Replicas' clocks may differ from the store's.
pub async fn a_run_that_was_asked_for_by_a_clock_that_is_ahead_is_claimable(runs: &RunsUnderTest) {
    runs.given_order_at(1, runs.clock.now() + TimeDelta::minutes(5), |order| order).await;
    assert_eq!(taken(runs, "ada").await, [run(1)]);
}

/// A run is claimable at once after a hand-over.
pub async fn a_run_that_is_handed_over_is_claimable(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Normal).await;
    taken(runs, "ada").await;
    runs.claimed(1).await;
    runs.happens(1, |run, now| run.hand_over(run.fence(), now)).await;
    assert_eq!(taken(runs, "eve").await, [run(1)]);
}

/// An ended run is never claimable.
pub async fn an_ended_run_is_never_handed_out(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Normal).await;
    taken_briefly(runs, "ada").await;
    runs.claimed(1).await;
    runs.ended(1, Ending::Completed(Json::Null.into())).await;
    runs.time.pass(BRIEF * 2).await;
    assert_nothing(&look(runs, "eve").await);
}

/// A suspended project with a queued run.
async fn at_rest(runs: &RunsUnderTest) {
    runs.given_project(1, user(1)).await;
    runs.given_run(1, 1, Priority::Normal).await;
    runs.happens_to_project(1, Project::suspend).await;
}

/// Runs of a suspended project are not claimable.
pub async fn runs_of_a_suspended_project_wait(runs: &RunsUnderTest) {
    at_rest(runs).await;
    assert_eq!(taken(runs, "ada").await, []);
}

/// They are claimable again after it is resumed.
pub async fn runs_of_a_resumed_project_go_on(runs: &RunsUnderTest) {
    at_rest(runs).await;
    taken(runs, "ada").await;
    runs.happens_to_project(1, Project::resume).await;
    assert_eq!(taken(runs, "ada").await, [run(1)]);
}

/// A suspended project does not block others.
pub async fn runs_of_other_projects_go_on(runs: &RunsUnderTest) {
    at_rest(runs).await;
    runs.given_project(2, user(1)).await;
    runs.given_run(2, 2, Priority::Low).await;
    let claims = runs.queue.claim("ada", Appetite { most: 1, ..HUNGRY }).await.unwrap();
    assert_eq!(claims.runs, [Claim { run: run(2), fence: 1 }]);
}

/// Deadlines apply to suspended projects, too.
pub async fn a_run_of_a_suspended_project_ends_at_its_deadline(runs: &RunsUnderTest) {
    runs.given_project(1, user(1)).await;
    let deadline = runs.clock.now() + TimeDelta::milliseconds(200);
    runs.given_order(1, |order| Order { deadline, ..order }).await;
    runs.happens_to_project(1, Project::suspend).await;
    runs.time.pass(Duration::from_millis(300)).await;
    assert_eq!(taken(runs, "ada").await, [run(1)]);
}

/// Cancellation applies to suspended projects, too.
pub async fn a_run_of_a_suspended_project_ends_when_it_is_stopped(runs: &RunsUnderTest) {
    runs.given_project(1, user(1)).await;
    runs.given_run(1, 1, Priority::Normal).await;
    taken(runs, "ada").await;
    runs.claimed(1).await;
    runs.happens_to_project(1, Project::suspend).await;
    runs.happens(1, |run, now| run.cancel("user:eve", None, now)).await;
    assert_eq!(taken(runs, "ada").await, [run(1)]);
}

/// Runs of an archived project are not claimable.
pub async fn runs_of_an_archived_project_are_not_begun(runs: &RunsUnderTest) {
    runs.given_project(1, user(1)).await;
    runs.given_run(1, 1, Priority::Normal).await;
    runs.happens_to_project(1, Project::archive).await;
    assert_eq!(taken(runs, "ada").await, []);
}

/// An otherwise idle worker knows the deadline.
pub async fn the_queue_says_when_a_run_of_a_suspended_project_must_end(runs: &RunsUnderTest) {
    at_rest(runs).await;
    let due = look(runs, "ada").await.next_due.unwrap();
    assert!(due > Duration::from_secs(3_500) && due <= Duration::from_secs(3_600), "{due:?}");
}

/// A worker need not poll to find out when a run becomes due.
pub async fn the_queue_says_when_something_becomes_due(runs: &RunsUnderTest) {
    assert_nothing(&look(runs, "ada").await);
    runs.given_run(1, 1, Priority::Normal).await;
    let held = look(runs, "ada").await.next_due.unwrap();
    assert!(held <= LEASE, "the lease itself may lapse: {held:?}");
    runs.claimed(1).await;
    let until = runs.clock.now() + TimeDelta::minutes(10);
    runs.happens(1, |run, _| run.park(run.fence(), &[Waiting::Timer].into(), until)).await;
    runs.queue.release("ada", Claim { run: run(1), fence: 1 }).await.unwrap();
    let due = look(runs, "ada").await.next_due.unwrap();
    assert!(due > Duration::from_secs(590) && due <= Duration::from_secs(600), "{due:?}");
}

/// A lease that lapses during a look is either claimed or reported as due.
pub async fn what_is_held_is_handed_out_or_told(runs: &RunsUnderTest) {
    runs.given_run(1, 1, Priority::Normal).await;
    let appetite = Appetite { most: 1, lease: Duration::from_millis(3), ..HUNGRY };
    let mut handed_out = 0;
    while handed_out < 30 {
        let claims = runs.queue.claim("ada", appetite).await.unwrap();
        handed_out += claims.runs.len();
        let due = claims.next_due.expect("what is not handed out becomes due at some time");
        runs.time.pass(due.max(Duration::from_millis(1))).await;
    }
}

/// Concurrent workers never share a run.
pub async fn many_workers_share_many_runs_without_sharing_one(runs: &RunsUnderTest) {
    for n in 1..=40 {
        runs.given_run(n, 1, Priority::Normal).await;
    }
    let names: Vec<_> = (0..8).map(|n| format!("worker-{n}")).collect();
    let appetite = Appetite { most: 3, ..HUNGRY };
    let mut all = Vec::new();
    for _ in 0..3 {
        let asked = names.iter().map(|name| runs.queue.claim(name, appetite));
        for claims in futures_util::future::join_all(asked).await {
            all.extend(claims.unwrap().runs.into_iter().map(|claim| claim.run));
        }
    }
    let distinct: BTreeSet<_> = all.iter().collect();
    assert_eq!((distinct.len(), all.len()), (40, 40), "nobody is left out and nothing is shared");
}
