//! How a model's answer is recorded.

use super::{assistants::asking, *};
use crate::{
    conversation::{Finish, TokenCount, ToolCall},
    runs::Bill,
};

fn call() -> ToolCall {
    ToolCall { id: "x".into(), name: "t".into(), arguments: Json::Null }
}

/// An answer that requests some calls.
fn wanting(calls: Vec<ToolCall>) -> Reply {
    Reply {
        text: String::new(),
        calls,
        finish: Finish::ToolCalls,
        usage: TokenCount::default(),
        estimated: false,
        model: "m".into(),
        answered_by: "local/small".into(),
        price: None,
        carry: None,
    }
}

#[test]
fn calls_with_the_same_id_get_different_ones() {
    let reply = wanting(vec![call(), call()]);
    let run =
        running([asking(1, 1)]).after(|run| run.record(1, &[Progress::Reply { operation: op(1), reply }])).unwrap();
    let ids: BTreeSet<_> = run.answer("turn_1").unwrap().calls.iter().map(|call| call.id.clone()).collect();
    assert_eq!(ids.len(), 2);
}

#[test]
fn an_answer_that_is_too_large_fails_the_question() {
    let reply = Reply { text: "x".repeat(MAX_VALUE + 1), finish: Finish::Stop, ..wanting(vec![]) };
    let events = running([asking(1, 1)]).when(|run| run.record(1, &[Progress::Reply { operation: op(1), reply }]));
    assert!(
        matches!(&events.unwrap()[..], [RunEvent::ModelFailed(failed)] if failed.error.code == "run.value_too_large")
    );
}

#[test]
fn an_answer_that_is_too_large_is_billed() {
    let usage = TokenCount { input: 5, output: 9, ..TokenCount::default() };
    let reply = Reply { text: "x".repeat(MAX_VALUE + 1), finish: Finish::Stop, usage, ..wanting(vec![]) };
    let run = running([asking(1, 1)]).after(|run| run.record(1, &[Progress::Reply { operation: op(1), reply }]));
    assert_eq!(*run.unwrap().usage(), usage);
}

#[test]
fn what_answers_of_no_use_are_billed_adds_up_over_the_tries_of_a_question() {
    let usage = TokenCount { input: 5, output: 1, ..TokenCount::default() };
    let waste = |retry_at| {
        let billed =
            Bill { usage, estimated: false, answered_by: "local/small".into(), cost_micros: Some(3), price: None };
        Progress::Waste { operation: op(1), error: Failure::new("x", "y"), retry_at, billed }
    };
    let reports = [waste(Some(at(5))), Progress::Again { operation: op(1) }, waste(Some(at(6)))];
    let run = running([asking(1, 1)]).after(|run| run.record(1, &reports)).unwrap();
    let wasted = run.open_call(op(1)).map(|call| (call.wasted.usage.input, call.wasted.cost_micros));
    assert_eq!((wasted, run.usage().input, run.cost_micros()), (Some((10, 6)), 10, 6));
}

/// The size of the recorded provider data of this size, if it is recorded.
fn carried(bytes: usize) -> Option<usize> {
    let reply = Reply { carry: Some("x".repeat(bytes).into()), ..wanting(vec![call()]) };
    let run = running([asking(1, 1)]).after(|run| run.record(1, &[Progress::Reply { operation: op(1), reply }]));
    let carry = run.unwrap().answer("turn_1").unwrap().carry.clone()?;
    carry.as_str().map(str::len)
}

#[test]
fn what_a_provider_wants_back_is_kept_within_bounds() {
    assert_eq!([1_000, MAX_CARRY].map(carried), [Some(1_000), None]);
}
