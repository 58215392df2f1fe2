//! The next action in a run of an assistant.

use super::*;
use crate::{
    assistant::Assistant,
    conversation::{Finish, TokenCount, ToolCall},
};

pub(super) fn parsed(more: &str) -> Definition {
    let text = format!(r#"{{"model":"local/small","instructions":"Be brief."{more}}}"#);
    serde_json::from_str::<Assistant>(&text).unwrap().into()
}

pub(super) fn plain() -> Definition {
    parsed("")
}

pub(super) fn asking(turn: u32, attempt: u32) -> RunEvent {
    let (place, operation) = (Place::step(&turn_step(turn)), op(u128::from(turn)));
    ModelCalled { place, operation, model: "local/small".into(), attempt }.into()
}

pub(super) fn answer(turn: u32, calls: usize, finish: Finish) -> RunEvent {
    let call = |n| ToolCall { id: format!("call_{n}"), name: "t".into(), arguments: Json::from(5_i64) };
    answer_with(turn, (0..calls).map(call).collect(), finish).into()
}

pub(super) fn answer_with(turn: u32, calls: Vec<ToolCall>, finish: Finish) -> ModelAnswered {
    ModelAnswered {
        operation: op(turn.into()),
        text: "hm".to_owned(),
        calls,
        finish,
        usage: TokenCount { input: 100, output: 20, ..TokenCount::default() },
        estimated: false,
        model: "small-1".to_owned(),
        answered_by: "local/small".into(),
        cost_micros: Some(7),
        price: None,
        carry: None,
    }
}

/// A number of turns with one successful call each.
pub(super) fn turns(count: u32) -> Vec<RunEvent> {
    (1..=count)
        .flat_map(|turn| [asking(turn, 1), answer(turn, 1, Finish::ToolCalls), used(turn), result(turn)])
        .collect()
}

fn use_of(turn: u32) -> OperationId {
    op(1_000 + u128::from(turn))
}

fn used(turn: u32) -> RunEvent {
    let (place, operation) = (Place::element(&tools_step(turn), 0), use_of(turn));
    let (tool, effect, arguments) = ("t".into(), Effect::Unsafe, Json::from(5_i64));
    ToolCalled { place, operation, tool, effect, attempt: 1, arguments }.into()
}

fn result(turn: u32) -> RunEvent {
    ToolSucceeded { operation: use_of(turn), result: Json::from("x".repeat(400)).into() }.into()
}

pub(super) fn failed(operation: u128, error: Failure, retry_at: Option<DateTime<Utc>>, overflow: bool) -> RunEvent {
    ModelFailed { operation: op(operation), error, retry_at, unasked: false, overflow, billed: None }.into()
}

pub(super) fn then(definition: &Definition, events: impl IntoIterator<Item = RunEvent>) -> Next<'_> {
    next(running(events).state(), definition, at(5), &none())
}

pub(super) fn failure(found: Next<'_>) -> String {
    let Next::Finish(Ending::Failed(failure)) = found else { panic!("{found:?}") };
    failure.code
}

pub(super) fn prompt(turn: u32) -> Next<'static> {
    Next::Begin(vec![Task::Prompt { place: Place::step(&turn_step(turn)) }])
}

fn proposed(expires_at: Option<DateTime<Utc>>) -> RunEvent {
    let (place, prompt, data) = (Place::element(&tools_step(1), 0), "go?".to_owned(), Json::from(5_i64));
    let call = Some(ProposedCall { tool: "t".into(), arguments_hash: "five".into() });
    let (approval, on_deny, at) = (approval(), Denial::Fail, at(2));
    ApprovalRequested { place, approval, prompt, data, on_deny, call, expires_at, at }.into()
}

fn asked_for_one(expires_at: Option<DateTime<Utc>>) -> Given<Run> {
    running([asking(1, 1), answer(1, 1, Finish::ToolCalls), proposed(expires_at)])
}

#[test]
fn the_model_is_asked_first() {
    assert_eq!(then(&plain(), []), prompt(1));
}

#[test]
fn a_question_left_by_a_vanished_worker_is_asked_again() {
    let task = Task::Again { place: Place::step("turn_1"), operation: op(1) };
    assert_eq!(then(&plain(), [asking(1, 1), claimed(2)]), Next::Begin(vec![task]));
}

#[test]
fn all_calls_the_model_wants_begin_together() {
    let definition = plain();
    let found = then(&definition, [asking(1, 1), answer(1, 3, Finish::ToolCalls)]);
    let Next::Begin(tasks) = &found else { panic!("{found:?}") };
    let places: Vec<_> = tasks.iter().map(Task::place).collect();
    assert_eq!(places, [0, 1, 2].map(|index| Place::element("turn_1_tools", index)));
}

#[test]
fn the_model_is_told_when_every_call_is_over() {
    assert_eq!(then(&plain(), turns(1)), prompt(2));
}

#[test]
fn a_failed_call_is_told_to_the_model() {
    let failed = ToolFailed { operation: use_of(1), error: Failure::new("x", "y"), retry_at: None }.into();
    assert_eq!(then(&plain(), [asking(1, 1), answer(1, 1, Finish::ToolCalls), used(1), failed]), prompt(2));
}

#[test]
fn an_unsafe_call_left_by_a_vanished_worker_is_in_doubt() {
    let place = Place::element("turn_1_tools", 0);
    let left = [asking(1, 1), answer(1, 1, Finish::ToolCalls), used(1), claimed(2)];
    assert_eq!(then(&plain(), left), Next::Begin(vec![Task::Lose { place, operation: use_of(1) }]));
}

#[test]
fn an_answer_without_calls_is_the_last() {
    assert_eq!(then(&plain(), [asking(1, 1), answer(1, 0, Finish::Stop)]), Next::Conclude);
}

#[test]
fn a_rejected_answer_is_repaired_once() {
    let rejected = [Progress::Reject { step: "turn_1".into(), errors: vec!["no".into()] }];
    let answered = running([asking(1, 1), answer(1, 0, Finish::Stop)]);
    let run = answered.after(|run| run.record(1, &rejected)).unwrap();
    assert_eq!(next(&run, &plain(), at(5), &none()), prompt(2));
    assert_eq!(run.record(1, &rejected), Err(RunError::StepState("turn_1".into())));
}

#[test]
fn an_answer_that_was_cut_off_or_declined_fails_the_run() {
    let code = |finish| failure(then(&plain(), [asking(1, 1), answer(1, 1, finish)]));
    assert_eq!([code(Finish::Length), code(Finish::Refused)], ["run.answer_truncated", "run.model_refused"]);
}

#[test]
fn a_model_that_does_not_answer_fails_the_run() {
    let failed = failed(1, Failure::new("model.timeout", "y"), None, false);
    assert_eq!(failure(then(&plain(), [asking(1, 1), failed])), "model.timeout");
}

#[test]
fn a_question_that_reached_nobody_is_no_try() {
    let error = Failure::new("model.unavailable", "y");
    let postponed = || {
        let (error, retry_at) = (error.clone(), Some(at(5)));
        ModelFailed { operation: op(1), error, retry_at, unasked: true, overflow: false, billed: None }.into()
    };
    let run = running([asking(1, 1), postponed(), asking(1, 2), postponed(), asking(1, 3)]);
    let call = run.state().unit(&Place::step("turn_1")).and_then(Unit::call).unwrap();
    assert_eq!((call.attempt, call.tries()), (3, 1));
}

#[test]
fn a_tool_is_not_left_alone() {
    let postponed = Progress::Postpone { operation: op(9), error: Failure::new("x", "y"), retry_at: at(5) };
    let calling = running([called(Effect::Idempotent, 1)]);
    assert_eq!(calling.when(|run| run.record(1, &[postponed])), Err(RunError::OperationUnknown));
}

#[test]
fn limits_on_tokens_cost_and_steps_end_the_run_before_the_next_question() {
    let limited = |limits: &str| parsed(&format!(r#","limits":{{{limits}}}"#));
    let code = |limits| failure(then(&limited(limits), turns(2)));
    assert_eq!(code(r#""max_tokens":240"#), "run.token_limit");
    assert_eq!(code(r#""max_cost_micros":14"#), "run.cost_limit");
    assert_eq!(code(r#""max_steps":4"#), "run.step_limit");
}

#[test]
fn what_model_calls_used_adds_up() {
    let run = running(turns(3));
    assert_eq!((run.state().usage().total(), run.state().cost_micros()), (360, 21));
}

#[test]
fn an_approved_call_is_made_with_exactly_what_was_asked_about() {
    let run = asked_for_one(None)
        .after(|run| run.decide_approval(approval(), &said(Choice::Approve, None, "user:1"), at(3)))
        .unwrap();
    let proposal = Proposal { tool: "t".into(), arguments: std::sync::Arc::new(Json::from(5_i64)) };
    let perform = Task::Perform { place: Place::element("turn_1_tools", 0), proposal };
    assert_eq!(next(&run, &plain(), at(5), &none()), Next::Begin(vec![perform]));
}

#[test]
fn edited_arguments_are_what_the_call_is_made_with() {
    let edit = Edit { arguments: Json::from(6_i64), arguments_hash: "six".into() };
    let edited = Decided { choice: Choice::Approve, edit: Some(&edit), reason: None, by: "user:1" };
    let run = asked_for_one(None).after(|run| run.decide_approval(approval(), &edited, at(3))).unwrap();
    let unit = run.call(1, 0).cloned();
    assert!(matches!(unit, Some(Unit::Approved(proposal)) if *proposal.arguments == Json::from(6_i64)));
    let plain = run.decide_approval(approval(), &said(Choice::Approve, None, "user:1"), at(4));
    assert_eq!((run.decide_approval(approval(), &edited, at(4)), plain), (Ok(vec![]), Err(RunError::ApprovalDecided)));
}

#[test]
fn only_a_call_that_is_approved_can_be_edited() {
    let edit = Edit { arguments: Json::from(6_i64), arguments_hash: "six".into() };
    let edited = |choice| Decided { choice, edit: Some(&edit), reason: None, by: "user:1" };
    let denied = asked_for_one(None).when(|run| run.decide_approval(approval(), &edited(Choice::Deny), at(3)));
    let step = running([asked(Denial::Fail)]);
    let step = step.when(|run| run.decide_approval(approval(), &edited(Choice::Approve), at(3)));
    assert_eq!((denied, step), (Err(RunError::NothingToEdit), Err(RunError::NothingToEdit)));
}

#[test]
fn a_denied_call_is_told_to_the_model() {
    let run = asked_for_one(None)
        .after(|run| run.decide_approval(approval(), &said(Choice::Deny, Some("no"), "user:1"), at(3)))
        .unwrap();
    assert_eq!(next(&run, &plain(), at(5), &none()), prompt(2));
}

#[test]
fn a_question_nobody_answers_in_time_counts_as_denied() {
    let waiting = asked_for_one(Some(at(4)));
    let definition = plain();
    let early = next(waiting.state(), &definition, at(3), &none());
    assert_eq!(early, Next::Wait { waiting: BTreeSet::from([Waiting::Approval]), until: at(4) });
    let expire = Task::Expire { place: Place::element("turn_1_tools", 0), approval: approval() };
    assert_eq!(next(waiting.state(), &plain(), at(4), &none()), Next::Begin(vec![expire]));
    let expired = waiting.after(|run| run.record(1, &[Progress::Expire { approval: approval(), at: at(4) }])).unwrap();
    assert_eq!(next(&expired, &plain(), at(5), &none()), prompt(2));
}

#[test]
fn an_answer_after_the_expiry_is_refused() {
    let late = asked_for_one(Some(at(4)));
    let late = late.when(|run| run.decide_approval(approval(), &said(Choice::Approve, None, "user:1"), at(4)));
    assert_eq!(late, Err(RunError::ApprovalExpired));
}
