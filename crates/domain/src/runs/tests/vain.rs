//! Claims without progress.

use super::*;
use crate::kernel::EventSet;

/// A run that was claimed that many times without progress.
fn taken(times: u32) -> Vec<RunEvent> {
    std::iter::once(queued()).chain((1..=times).map(|fence| claimed(fence.into()))).collect()
}

/// The names of the events of the next claim of a run with such a history.
fn next_claim(history: Vec<RunEvent>) -> Vec<&'static str> {
    let events = given::<Run>(history).when(|run| run.claim("w", run.fence() + 1, at(9))).unwrap();
    events.iter().map(EventSet::event_type).collect()
}

#[test]
fn a_run_that_was_taken_in_vain_a_few_times_is_taken_once_more() {
    assert_eq!(next_claim(taken(MAX_IN_VAIN - 1)), ["run.claimed"]);
}

#[test]
fn a_run_that_was_taken_in_vain_too_often_fails() {
    let failed = given::<Run>(taken(MAX_IN_VAIN)).after(|run| run.claim("w", run.fence() + 1, at(9))).unwrap();
    assert!(matches!(failed.phase(), Phase::Failed(failure) if failure.code == "run.not_carried_out"));
}

#[test]
fn a_run_that_was_taken_in_vain_too_often_and_is_to_stop_is_cancelled() {
    let stop = CancelRequested { fence: 1, by: "user:1".into(), reason: None, at: at(2) }.into();
    let vain = (2..=u64::from(MAX_IN_VAIN) + 1).map(claimed);
    let history = [queued(), stop].into_iter().chain(vain).collect();
    assert_eq!(next_claim(history), ["run.claimed", "run.cancelled"]);
}

/// Events between claims that count as progress, and events that do not.
#[test]
fn what_comes_of_a_claim_makes_up_for_those_in_vain() {
    let again = |attempt| called(Effect::Idempotent, attempt);
    let asked = |attempt| -> RunEvent {
        ModelCalled { place: Place::step("a"), operation: op(9), model: "a/b".into(), attempt }.into()
    };
    let parked = |waiting: Vec<Waiting>| -> RunEvent { RunParked { fence: 99, waiting, until: at(5) }.into() };
    let cases = [
        (again(1), 0),
        (asked(1), 0),
        (again(2), MAX_IN_VAIN),
        (asked(2), MAX_IN_VAIN),
        (ToolSucceeded { operation: op(9), result: Json::Null.into() }.into(), 0),
        (StepSkipped { step: "a".into() }.into(), 0),
        (parked(vec![]), 0),
        (parked(vec![Waiting::Timer]), 0),
    ];
    for (event, left) in cases {
        let told = format!("{event:?}");
        let history = taken(MAX_IN_VAIN).into_iter().chain([event]);
        assert_eq!(given::<Run>(history).state().in_vain(), left, "{told}");
    }
}
