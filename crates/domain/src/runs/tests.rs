use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::*;
use crate::{
    definition::Definition,
    kernel::{
        Aggregate, Json,
        given::{Given, given},
        ids::{AgentId, ApprovalId, OperationId, ProjectId, RunId},
    },
    workflow::{Denial, Effect, Workflow},
};

mod assistants;
mod context;
mod forks;
mod invariants;
mod laws;
mod replies;
mod room;
mod stored;
mod vain;
mod verdicts;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_268_800 + second, 0).unwrap()
}

fn order() -> Order {
    Order {
        agent: AgentId::from(Uuid::from_u128(1)),
        agent_version: 1,
        project: ProjectId::from(Uuid::from_u128(2)),
        parent: None,
        depth: 0,
        callers: vec![],
        allowance: Allowance::default(),
        input: Json::from(7_i64),
        priority: Priority::Normal,
        deadline: at(3_600),
    }
}

fn op(n: u128) -> OperationId {
    OperationId::from(Uuid::from_u128(n))
}

fn approval() -> ApprovalId {
    ApprovalId::from(Uuid::from_u128(77))
}

fn queued() -> RunEvent {
    RunQueued { order: order(), at: at(0) }.into()
}

fn claimed(fence: u64) -> RunEvent {
    RunClaimed { fence, worker: "w".into(), at: at(1) }.into()
}

fn called(effect: Effect, attempt: u32) -> RunEvent {
    let (place, operation) = (Place::step("a"), op(9));
    ToolCalled { place, operation, tool: "t".into(), effect, attempt, arguments: Json::from(5_i64) }.into()
}

fn running(more: impl IntoIterator<Item = RunEvent>) -> Given<Run> {
    given::<Run>([queued(), claimed(1)].into_iter().chain(more))
}

fn asked(on_deny: Denial) -> RunEvent {
    let place = Place::step("a");
    let (approval, prompt, data) = (approval(), "go?".into(), Json::Null);
    ApprovalRequested { place, approval, prompt, data, on_deny, call: None, expires_at: None, at: at(2) }.into()
}

fn workflow_of_two() -> Workflow {
    serde_json::from_str(r#"{"steps":[{"id":"a","tool":"jq"},{"id":"b","needs":["a"],"tool":"jq"}]}"#).unwrap()
}

fn one_step() -> Definition {
    workflow_of_two().into()
}

fn said<'a>(choice: Choice, reason: Option<&'a str>, by: &'a str) -> Decided<'a> {
    Decided { choice, edit: None, reason, by }
}

fn none() -> BTreeSet<Place> {
    BTreeSet::new()
}

#[test]
fn a_run_is_asked_for_once() {
    assert_eq!(given::<Run>([queued()]).when(|run| run.queue(&order(), at(1))), Err(RunError::Begun));
}

#[test]
fn a_deadline_that_has_passed_is_refused() {
    assert_eq!(Run::default().queue(&order(), at(3_600)), Err(RunError::DeadlinePassed));
}

#[test]
fn an_input_that_is_too_large_is_refused() {
    let order = Order { input: Json::from("x".repeat(MAX_VALUE)), ..order() };
    assert_eq!(Run::default().queue(&order, at(0)), Err(RunError::InputTooLarge));
}

#[test]
fn an_input_that_is_too_deep_is_refused() {
    let input = (0..100).fold(Json::Null, |inner, _| Json::Array(vec![inner]));
    assert_eq!(Run::default().queue(&Order { input, ..order() }, at(0)), Err(RunError::InputTooLarge));
}

#[test]
fn runs_nest_only_so_deep() {
    let order = Order { depth: MAX_ANCESTORS + 1, ..order() };
    assert_eq!(Run::default().queue(&order, at(0)), Err(RunError::TooDeep));
}

#[test]
fn every_claim_has_a_higher_fence() {
    let again = running([]).when(|run| run.claim("w2", run.fence() + 1, at(5)));
    assert_eq!(again, Ok(vec![RunClaimed { fence: 2, worker: "w2".into(), at: at(5) }.into()]));
}

#[test]
fn a_run_that_changed_hands_since_it_was_leased_cannot_be_claimed() {
    assert_eq!(running([claimed(2)]).when(|run| run.claim("w2", 2, at(5))), Err(RunError::Superseded));
}

#[test]
fn a_worker_that_was_superseded_cannot_add_to_the_run() {
    let late = running([claimed(2)]).when(|run| run.record(1, &[Progress::Skip { step: "a".into() }]));
    assert_eq!(late, Err(RunError::Superseded));
}

#[test]
fn a_worker_that_was_superseded_cannot_end_the_run() {
    let late = running([claimed(2)]).when(|run| run.finish(1, &Ending::Completed(Json::Null.into()), at(9)));
    assert_eq!(late, Err(RunError::Superseded));
}

#[test]
fn parking_gives_the_fence_away() {
    let parked = running([asked(Denial::Fail)]).after(|run| run.park(1, &[Waiting::Approval].into(), at(60))).unwrap();
    assert_eq!(parked.fence(), 2);
    assert_eq!(parked.record(1, &[]), Err(RunError::Superseded));
}

#[test]
fn a_run_that_is_handed_over_is_anybodys() {
    let handed = running([]).after(|run| run.hand_over(1, at(60))).unwrap();
    assert_eq!((handed.phase(), handed.fence()), (&Phase::Running, 2));
}

#[test]
fn who_handed_a_run_over_adds_nothing_to_it() {
    let handed = running([]).after(|run| run.hand_over(1, at(60))).unwrap();
    assert_eq!(handed.record(1, &[]), Err(RunError::Superseded));
}

#[test]
fn a_queued_run_is_cancelled_at_once() {
    let cancelled = given::<Run>([queued()]).after(|run| run.cancel("user:1", None, at(2))).unwrap();
    assert_eq!(*cancelled.phase(), Phase::Cancelled);
}

#[test]
fn a_running_run_is_cancelled_by_way_of_its_fence() {
    let cancelling = running([]).after(|run| run.cancel("user:1", None, at(2))).unwrap();
    assert_eq!((cancelling.phase(), cancelling.fence()), (&Phase::Cancelling, 2));
}

#[test]
fn whoever_finishes_a_run_that_is_being_cancelled_cancels_it() {
    let cancelling = running([]).after(|run| run.cancel("user:1", None, at(2))).unwrap();
    let ended = cancelling.finish(2, &Ending::Completed(Json::Null.into()), at(3));
    assert_eq!(ended, Ok(vec![RunCancelled { at: at(3) }.into()]));
}

#[test]
fn cancelling_a_cancelled_run_changes_nothing() {
    let cancelled = given::<Run>([queued(), RunCancelled { at: at(1) }.into()]);
    assert_eq!(cancelled.when(|run| run.cancel("user:1", None, at(2))), Ok(vec![]));
}

#[test]
fn a_terminal_state_is_final() {
    for end in [
        RunCompleted { output: Json::Null.into(), at: at(1) }.into(),
        RunFailed { error: Failure::new("x", "y"), at: at(1) }.into(),
        RunExpired { at: at(1) }.into(),
    ] {
        let ended = running([end]);
        assert_eq!(ended.when(|run| run.claim("w", run.fence() + 1, at(2))), Err(RunError::Ended));
        assert_eq!(ended.when(|run| run.cancel("user:1", None, at(2))), Err(RunError::Ended));
        assert_eq!(ended.when(|run| run.finish(1, &Ending::Expired, at(2))), Err(RunError::Ended));
        assert_eq!(next(ended.state(), &one_step(), at(2), &none()), Next::Rest);
    }
}

#[test]
fn an_answer_wakes_the_run_in_the_same_decision() {
    let parked = RunParked { fence: 2, waiting: vec![Waiting::Approval], until: at(60) }.into();
    let waiting = running([asked(Denial::Fail), parked]);
    let decided =
        waiting.after(|run| run.decide_approval(approval(), &said(Choice::Approve, None, "user:1"), at(3))).unwrap();
    assert_eq!(*decided.phase(), Phase::Running);
}

#[test]
fn the_other_answer_comes_too_late() {
    let decided = running([asked(Denial::Fail)])
        .after(|run| run.decide_approval(approval(), &said(Choice::Approve, None, "user:1"), at(3)))
        .unwrap();
    let again = |choice| decided.decide_approval(approval(), &said(choice, None, "user:2"), at(4));
    assert_eq!((again(Choice::Approve), again(Choice::Deny)), (Ok(vec![]), Err(RunError::ApprovalDecided)));
}

#[test]
fn a_denial_fails_the_run() {
    let denied = running([asked(Denial::Fail)])
        .after(|run| run.decide_approval(approval(), &said(Choice::Deny, Some("no"), "user:1"), at(3)))
        .unwrap();
    let Next::Finish(Ending::Failed(failure)) = next(&denied, &one_step(), at(4), &none()) else { panic!() };
    assert_eq!(failure.code, "run.approval_denied");
}

#[test]
fn a_denial_that_may_be_continued_is_an_output() {
    let denied = running([asked(Denial::Continue)])
        .after(|run| run.decide_approval(approval(), &said(Choice::Deny, None, "user:1"), at(3)))
        .unwrap();
    let output = denied.step("a").and_then(|state| state.output(&|_| Json::Null)).unwrap();
    assert_eq!(output.get("decision"), Some(&Json::from("deny")));
}

#[test]
fn an_answer_to_a_run_that_ended_is_refused() {
    let ended = running([asked(Denial::Fail), RunExpired { at: at(9) }.into()]);
    let late = ended.when(|run| run.decide_approval(approval(), &said(Choice::Approve, None, "user:1"), at(10)));
    assert_eq!(late, Err(RunError::Ended));
}

#[test]
fn a_call_left_by_a_vanished_worker_is_made_again_where_it_may_be() {
    for effect in [Effect::ReadOnly, Effect::Idempotent] {
        let left = running([called(effect, 1), claimed(2)]);
        let task = Task::Again { place: Place::step("a"), operation: op(9) };
        assert_eq!(next(left.state(), &one_step(), at(3), &none()), Next::Begin(vec![task]));
    }
}

#[test]
fn a_call_left_by_a_vanished_worker_is_in_doubt_where_it_must_not_be_repeated() {
    let left = running([called(Effect::Unsafe, 1), claimed(2)]);
    let task = Task::Lose { place: Place::step("a"), operation: op(9) };
    assert_eq!(next(left.state(), &one_step(), at(3), &none()), Next::Begin(vec![task]));
}

#[test]
fn a_call_under_way_is_waited_for() {
    let calling = running([called(Effect::Unsafe, 1)]);
    let busy = BTreeSet::from([Place::step("a")]);
    assert_eq!(next(calling.state(), &one_step(), at(3), &busy), Next::Attend { until: at(3_600) });
}

#[test]
fn an_unsafe_call_is_never_made_again_by_itself() {
    let left = running([called(Effect::Unsafe, 1), claimed(2)]);
    let again = left.when(|run| run.record(2, &[Progress::Again { operation: op(9) }]));
    assert_eq!(again, Err(RunError::StepState("a".into())));
}

#[test]
fn a_call_made_again_keeps_its_operation_and_arguments() {
    let left = running([called(Effect::Idempotent, 1), claimed(2)]);
    let again = left.after(|run| run.record(2, &[Progress::Again { operation: op(9) }])).unwrap();
    let call = again.unit(&Place::step("a")).and_then(Unit::call).cloned().unwrap();
    assert_eq!((call.operation, call.attempt, call.arguments.as_ref()), (op(9), 2, &Json::from(5_i64)));
}

#[test]
fn a_call_in_doubt_waits_for_people() {
    let lost = OutcomeUnknown { operation: op(9), error: Failure::new("x", "y") }.into();
    let doubtful = running([called(Effect::Unsafe, 1), lost]);
    let waiting = BTreeSet::from([Waiting::Reconcile]);
    assert_eq!(next(doubtful.state(), &one_step(), at(3), &none()), Next::Wait { waiting, until: at(3_600) });
}

#[test]
fn a_verdict_needs_a_doubt() {
    let calling = running([called(Effect::Unsafe, 1)]);
    let verdict = calling.when(|run| run.reconcile(op(9), &Verdict::Retry, "user:1", at(3)));
    assert_eq!(verdict, Err(RunError::NotInDoubt));
}

#[test]
fn a_failed_try_waits_for_the_next() {
    let failed = ToolFailed { operation: op(9), error: Failure::new("x", "y"), retry_at: Some(at(10)) }.into();
    let backing_off = running([called(Effect::Unsafe, 1), failed]);
    let waiting = BTreeSet::from([Waiting::Timer]);
    let workflow = one_step();
    let early = next(backing_off.state(), &workflow, at(3), &none());
    assert_eq!(early, Next::Wait { waiting, until: at(10) });
    let task = Task::Again { place: Place::step("a"), operation: op(9) };
    assert_eq!(next(backing_off.state(), &workflow, at(10), &none()), Next::Begin(vec![task]));
}

#[test]
fn steps_begin_when_what_they_need_is_settled() {
    let (steps, workflow) = (workflow_of_two().steps, one_step());
    let first = next(running([]).state(), &workflow, at(2), &none());
    assert_eq!(first, Next::Begin(vec![Task::Enter { step: &steps[0] }]));
    let skipped = running([StepSkipped { step: "a".into() }.into()]);
    assert_eq!(next(skipped.state(), &workflow, at(2), &none()), Next::Begin(vec![Task::Enter { step: &steps[1] }]));
}

#[test]
fn a_run_whose_steps_are_settled_concludes() {
    let skips = ["a", "b"].map(|step| StepSkipped { step: step.into() }.into());
    assert_eq!(next(running(skips).state(), &one_step(), at(2), &none()), Next::Conclude);
}

#[test]
fn the_deadline_ends_a_run_whatever_it_does() {
    let calling = running([called(Effect::Unsafe, 1)]);
    let busy = BTreeSet::from([Place::step("a")]);
    assert_eq!(next(calling.state(), &one_step(), at(3_600), &busy), Next::Finish(Ending::Expired));
}

#[test]
fn a_failure_waits_for_what_is_under_way() {
    let failed = StepFailed { place: Place::step("b"), error: Failure::new("x", "y") }.into();
    let failing = running([called(Effect::Unsafe, 1), failed]);
    let busy = BTreeSet::from([Place::step("a")]);
    assert!(matches!(next(failing.state(), &one_step(), at(3), &busy), Next::Attend { .. }));
    assert!(matches!(next(failing.state(), &one_step(), at(3), &none()), Next::Finish(Ending::Failed(_))));
}

#[test]
fn a_child_reports_once() {
    let child = ChildRequested { place: Place::step("a"), operation: op(9), agent: order().agent, agent_version: 1 };
    let waiting = running([child.into()]);
    assert_eq!(waiting.state().open_children().collect::<Vec<_>>(), [RunId::from(Uuid::from_u128(9))]);
    let end = ChildEnd::Completed { output: Json::from(1_i64).into() };
    let told = waiting.after(|run| run.end_child(op(9), &end, Spent::default())).unwrap();
    assert_eq!(told.end_child(op(9), &end, Spent::default()), Ok(vec![]));
}

#[test]
fn a_child_nobody_asked_for_is_refused() {
    let end = ChildEnd::Completed { output: Json::Null.into() };
    assert_eq!(running([]).when(|run| run.end_child(op(1), &end, Spent::default())), Err(RunError::OperationUnknown));
}

/// A deadline that is in the future of every test that adds hours.
fn late(order: Order) -> Order {
    Order { deadline: at(0) + TimeDelta::days(20), ..order }
}
