//! Verdicts on calls after the end of their run.

use super::*;

/// A call in doubt in a run that has ended.
fn doubtful_at_the_end() -> Given<Run> {
    let lost = OutcomeUnknown { operation: op(9), error: Failure::new("x", "y") }.into();
    running([called(Effect::Unsafe, 1), lost, RunExpired { at: at(3_600) }.into()])
}

#[test]
fn a_verdict_after_the_end_is_recorded_and_the_run_stays_ended() {
    let verdict = Verdict::Succeeded { result: Json::from(7_i64).into() };
    let run = doubtful_at_the_end().after(|run| run.reconcile(op(9), &verdict, "user:1", at(4_000))).unwrap();
    let paid = Unit::Succeeded(Json::from(7_i64).into());
    assert_eq!((run.phase(), run.unit(&Place::step("a"))), (&Phase::Expired, Some(&paid)));
}

#[test]
fn nothing_is_called_again_after_the_end() {
    let again = doubtful_at_the_end().when(|run| run.reconcile(op(9), &Verdict::Retry, "user:1", at(4_000)));
    assert_eq!(again, Err(RunError::Ended));
}

#[test]
fn an_unsafe_call_that_the_end_interrupted_is_in_doubt_and_no_other_is() {
    let doubts = |effect| {
        let ended = running([called(effect, 1), RunExpired { at: at(3_600) }.into()]);
        ended.state().doubts().count()
    };
    let before = running([called(Effect::Unsafe, 1)]).state().doubts().count();
    assert_eq!((before, Effect::ALL.map(doubts)), (0, [0, 0, 1]));
}

#[test]
fn a_run_with_a_call_in_doubt_is_repeated_only_after_a_verdict() {
    let ended = doubtful_at_the_end();
    let id = RunId::from(Uuid::from_u128(3));
    assert_eq!(ended.when(|run| run.retry(id, &late(order()), at(0))), Err(RunError::InDoubt(vec![op(9)])));
    let settled = ended.after(|run| run.reconcile(op(9), &Verdict::Failed { reason: None }, "user:1", at(4_000)));
    assert!(settled.unwrap().retry(id, &late(order()), at(0)).is_ok());
}
