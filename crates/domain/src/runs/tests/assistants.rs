//! What a run of an assistant does next.

use super::*;
use crate::{
    assistant::Assistant,
    conversation::{Finish, ToolCall, Usage},
};

fn parsed(more: &str) -> Definition {
    let text = format!(r#"{{"model":"local/small","instructions":"Be brief."{more}}}"#);
    serde_json::from_str::<Assistant>(&text).unwrap().into()
}

fn plain() -> Definition {
    parsed("")
}

pub(super) fn asking(turn: u32, attempt: u32) -> RunEvent {
    let (place, operation) = (Place::step(&turn_step(turn)), op(u128::from(turn)));
    ModelCalled { place, operation, model: "local/small".into(), attempt }.into()
}

fn answer(turn: u32, calls: usize, finish: Finish) -> RunEvent {
    let call = |n| ToolCall { id: format!("call_{n}"), name: "t".into(), arguments: Json::from(5_i64) };
    let usage = Usage { input: 100, output: 20, ..Usage::default() };
    let (text, calls, model) = ("hm".to_owned(), (0..calls).map(call).collect(), "small-1".to_owned());
    let cost_micros = Some(7);
    ModelAnswered {
        operation: op(turn.into()),
        text,
        calls,
        finish,
        usage,
        estimated: false,
        model,
        answered_by: "local/small".into(),
        cost_micros,
        price: None,
        carry: None,
    }
    .into()
}

/// So many turns of one call each that succeeded.
fn turns(count: u32) -> Vec<RunEvent> {
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

fn failed(operation: u128, error: Failure, retry_at: Option<DateTime<Utc>>, overflow: bool) -> RunEvent {
    ModelFailed { operation: op(operation), error, retry_at, unasked: false, overflow }.into()
}

fn then(definition: &Definition, events: impl IntoIterator<Item = RunEvent>) -> Next<'_> {
    next(running(events).state(), definition, at(5), &none())
}

fn failure(found: Next<'_>) -> String {
    let Next::Finish(Ending::Failed(failure)) = found else { panic!("{found:?}") };
    failure.code
}

fn prompt(turn: u32) -> Next<'static> {
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
        ModelFailed { operation: op(1), error, retry_at, unasked: true, overflow: false }.into()
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
fn turns_beyond_the_window_leave_in_bulk_and_pinned_ones_stay() {
    let definition = parsed(r#","context":{"window_turns":4,"pinned_turns":1}"#);
    let place = Place::step("turn_7_summary");
    assert_eq!(then(&definition, turns(6)), compact(place, (2, 4), None, None));
    let (cause, summary, unsummarised) = (Leaving::Window, None, None);
    let compacted = ContextCompacted { from: 2, through: 4, summary, cause, unsummarised }.into();
    assert_eq!(then(&definition, turns(6).into_iter().chain([compacted])), prompt(7));
}

#[test]
fn the_window_can_be_counted_in_tokens() {
    let definition = parsed(r#","context":{"window_tokens":300}"#);
    assert_eq!(then(&definition, turns(2)), prompt(3));
    assert_eq!(then(&definition, turns(3)), compact(Place::step("turn_4_summary"), (1, 2), None, None));
}

#[test]
fn a_summary_is_asked_for_before_turns_leave() {
    let definition = parsed(r#","context":{"window_turns":2,"summary":true}"#);
    let place = Place::step("turn_4_summary");
    let summarise = Task::Summarise { place: place.clone(), from: 1, through: 2 };
    assert_eq!(then(&definition, turns(3)), Next::Begin(vec![summarise]));
    let summed = turns(3).into_iter().chain(summing_up("turn_4_summary", 4, "So far.", Finish::Stop));
    assert_eq!(then(&definition, summed), compact(place, (1, 2), Some(op(4)), None));
}

/// A question to sum up, and what was said to it.
fn summing_up(step: &str, operation: u32, text: &str, finish: Finish) -> [RunEvent; 2] {
    let (place, id) = (Place::step(step), op(operation.into()));
    let asked = ModelCalled { place, operation: id, model: "m".into(), attempt: 1 }.into();
    let RunEvent::ModelAnswered(answered) = answer(operation, 0, finish) else { panic!("an answer") };
    [asked, ModelAnswered { text: text.to_owned(), ..answered }.into()]
}

fn compact(
    place: Place,
    (from, through): (u32, u32),
    summary: Option<OperationId>,
    unsummarised: Option<Unsummarised>,
) -> Next<'static> {
    let cause = Leaving::Window;
    Next::Begin(vec![Task::Compact { place, from, through, summary, cause, unsummarised }])
}

const SUMMED_UP: &str = r#","context":{"window_turns":2,"summary":true}"#;

#[test]
fn a_summary_that_cannot_stand_for_anything_is_asked_for_once_more() {
    let definition = parsed(SUMMED_UP);
    let again = Task::Summarise { place: Place::step("turn_4_longer_summary"), from: 1, through: 2 };
    for (text, finish) in [("It was", Finish::Length), ("", Finish::Refused), (" \n", Finish::Stop)] {
        let summed = turns(3).into_iter().chain(summing_up("turn_4_summary", 4, text, finish));
        assert_eq!(then(&definition, summed), Next::Begin(vec![again.clone()]), "{finish:?}");
    }
}

#[test]
fn the_second_summary_stands_for_the_turns_where_it_is_whole() {
    let definition = parsed(SUMMED_UP);
    let first = summing_up("turn_4_summary", 4, "It was", Finish::Length);
    let second = summing_up("turn_4_longer_summary", 5, "It was so.", Finish::Stop);
    let summed = turns(3).into_iter().chain(first).chain(second);
    let place = Place::step("turn_4_longer_summary");
    assert_eq!(then(&definition, summed), compact(place, (1, 2), Some(op(5)), None));
}

#[test]
fn without_a_whole_summary_turns_leave_without_one_and_the_event_says_why() {
    let definition = parsed(SUMMED_UP);
    let first = summing_up("turn_4_summary", 4, "It was", Finish::Length);
    let second = summing_up("turn_4_longer_summary", 5, "It was", Finish::Length);
    let summed = turns(3).into_iter().chain(first).chain(second);
    let place = Place::step("turn_4_longer_summary");
    assert_eq!(then(&definition, summed), compact(place, (1, 2), None, Some(Unsummarised::Truncated)));
}

#[test]
fn a_model_that_cannot_be_asked_to_sum_up_fails_the_run() {
    let [asked, _] = summing_up("turn_4_summary", 4, "", Finish::Stop);
    let away = [asked, failed(4, Failure::new("model.timeout", "y"), None, false)];
    assert_eq!(failure(then(&parsed(SUMMED_UP), turns(3).into_iter().chain(away))), "model.timeout");
}

#[test]
fn a_second_summary_has_more_room_than_the_first() {
    let Definition::Assistant(assistant) =
        parsed(r#","max_output_tokens":300,"context":{"window_turns":2,"summary":true}"#)
    else {
        panic!("an assistant")
    };
    let room = |events: Vec<RunEvent>, step: &str| {
        running(events).state().summary_wanted(&assistant, step).map(|wanted| wanted.max_output_tokens)
    };
    let first = room(turns(3), "turn_4_summary");
    let second = room(turns(3), "turn_4_longer_summary");
    assert_eq!((first, second, room(turns(3), "turn_4")), (Some(2_048), Some(8_192), None));
}

/// Three turns, and a question that is too long.
fn too_long() -> Vec<RunEvent> {
    let error = Failure::new(CONTEXT_OVERFLOW, "too long");
    turns(3).into_iter().chain([asking(4, 1), failed(4, error, Some(at(4)), true)]).collect()
}

#[test]
fn turns_leave_a_question_that_is_too_long_before_it_is_asked_again() {
    let definition = plain();
    let (cause, summary, unsummarised) = (Leaving::Overflow, None, None);
    let (place, from, through) = (Place::step("turn_4_overflow_summary"), 1, 2);
    let shorter = Task::Compact { place, from, through, summary, cause, unsummarised };
    assert_eq!(then(&definition, too_long()), Next::Begin(vec![shorter]));
    let compacted = ContextCompacted { from, through, summary, cause, unsummarised }.into();
    let again = Task::Again { place: Place::step("turn_4"), operation: op(4) };
    assert_eq!(then(&definition, too_long().into_iter().chain([compacted])), Next::Begin(vec![again]));
}

#[test]
fn what_leaves_a_question_that_is_too_long_is_summed_up_where_the_agent_wants_it() {
    let definition = parsed(r#","context":{"summary":true}"#);
    let place = Place::step("turn_4_overflow_summary");
    let summarise = Task::Summarise { place: place.clone(), from: 1, through: 2 };
    assert_eq!(then(&definition, too_long()), Next::Begin(vec![summarise]));
    let summed = too_long().into_iter().chain(summing_up("turn_4_overflow_summary", 5, "So far.", Finish::Stop));
    let (cause, summary, unsummarised) = (Leaving::Overflow, Some(op(5)), None);
    let shorter = Task::Compact { place, from: 1, through: 2, summary, cause, unsummarised };
    assert_eq!(then(&definition, summed), Next::Begin(vec![shorter]));
}

#[test]
fn a_worker_that_sums_up_waits_for_that_and_not_for_the_question_that_was_too_long() {
    let definition = parsed(r#","context":{"summary":true}"#);
    let [asked, _] = summing_up("turn_4_overflow_summary", 5, "", Finish::Stop);
    let run = running(too_long().into_iter().chain([asked]));
    let busy = BTreeSet::from([Place::step("turn_4_overflow_summary")]);
    let found = next(run.state(), &definition, at(5), &busy);
    assert!(matches!(found, Next::Attend { until } if until > at(5)), "{found:?}");
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
