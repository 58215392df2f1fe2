//! The contract of the read model of runs for cursor paging.
#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

use devskyy_application::{
    access::ListScope,
    paging::{Age, Sort},
    runs::RunFilter,
};
use devskyy_domain::{kernel::ids::RunId, runs::Priority};

use super::{
    RunsUnderTest, run,
    views::{asks, questions},
};
use crate::contracts::walking::{is_walked_once, tells_once, walk};

/// Pages of every length return each run once.
pub async fn runs_are_walked_once_in_both_directions(runs: &RunsUnderTest) {
    for n in 1..=5 {
        runs.given_run(n, 1, Priority::Normal).await;
    }
    for sort in [Sort::ascending(Age::CreatedAt), Sort::descending(Age::CreatedAt)] {
        let filter = RunFilter { sort, ..RunFilter::default() };
        is_walked_once(async |part| runs.views.list(ListScope::Everything, &filter, &part).await.unwrap()).await;
    }
}

/// Pages of every length return each approval once.
pub async fn questions_are_walked_once(runs: &RunsUnderTest) {
    for n in 1..=4 {
        asks(runs, n).await;
    }
    is_walked_once(async |part| runs.views.approvals(&questions(None), &part).await.unwrap()).await;
}

/// Runs that existed throughout are returned exactly once.
pub async fn runs_asked_for_during_a_walk_hide_and_repeat_nothing(runs: &RunsUnderTest) {
    for n in 1..=5 {
        runs.given_run(n, 1, Priority::Normal).await;
    }
    let mut next = 100;
    for sort in [Sort::ascending(Age::CreatedAt), Sort::descending(Age::CreatedAt)] {
        let filter = RunFilter { sort, ..RunFilter::default() };
        let most = next + 5;
        let list = async |part| {
            runs.views.list(ListScope::Everything, &filter, &part).await.unwrap().map(|summary| summary.id)
        };
        let add = async |_: &[RunId]| {
            if next < most {
                runs.given_run(next, 1, Priority::Normal).await;
                next += 1;
            }
        };
        let told = walk(2, list, add).await;
        tells_once(&told, &(1..=5).map(run).collect::<Vec<_>>());
    }
}
