//! Cancelling an assistant while it waits, for whatever reason, and calling its model again from there.

use std::{collections::VecDeque, time::Duration};

use devskyy_application::runs::{ForkRun, ReconcileRun, RunStatus};
use devskyy_domain::{
    conversation::Message,
    kernel::ids::RunId,
    runs::{Choice, Verdict, Waiting},
};
use devskyy_testkit::fakes::{ScriptedModels, Turn};

use super::{
    assistants::{INPUT, assistant, calls},
    world::World,
};

/// Whether every call of an assistant is followed by its results, in order.
fn paired(messages: &[Message]) -> bool {
    let mut left = VecDeque::new();
    for message in messages {
        match message {
            Message::Tool { call, .. } if left.front() == Some(&call) => drop(left.pop_front()),
            Message::Assistant { calls, .. } if left.is_empty() => left = calls.iter().map(|call| &call.id).collect(),
            Message::System { .. } | Message::User { .. } if left.is_empty() => {}
            _ => return false,
        }
    }
    left.is_empty()
}

/// What a run waited for when it was cancelled, how it ended, and the request to its model from the step on. What a
/// fork waits for again is attended to.
fn stopped(
    second: Turn,
    definition: impl FnOnce(&World) -> String,
    from: &str,
    attend: impl Fn(&World, RunId),
) -> (Vec<Waiting>, RunStatus, Vec<Message>) {
    let look = calls([("look", r#"{"n":1}"#), ("look", r#"{"n":2}"#)]);
    let world = World::with(ScriptedModels::taking([look, second, Turn::says("done")]));
    let text = definition(&world);
    let run = world.start(&text, INPUT);
    world.work_until_waiting(run);
    let waiting = world.view(run).summary.waiting_for;
    let status = world.cancel(run).unwrap().summary.status;
    if waiting == [Waiting::Reconcile] {
        settle(&world, run);
    }
    let (step, agent_version, input) = (from.to_owned(), None, None);
    let fork =
        ForkRun { run, step, agent_version, input, priority: None, deadline: None, wait: None, idempotency: None };
    let fork = world.ask(world.runs.fork.handle(&World::actor(), fork)).unwrap().run.summary.id;
    world.work_until(|world| {
        if world.status(fork) == RunStatus::Waiting {
            attend(world, fork);
        }
        world.status(fork).ended()
    });
    let asked = world.models.asked().pop().unwrap();
    (waiting, status, asked.messages)
}

/// The same, with the number of messages and whether they are in pairs.
fn counted(found: (Vec<Waiting>, RunStatus, Vec<Message>)) -> (Vec<Waiting>, RunStatus, usize, bool) {
    let (waiting, status, messages) = found;
    (waiting, status, messages.len(), paired(&messages))
}

const fn nobody(_: &World, _: RunId) {}

/// The instructions, the input, an answer and the results of its two calls.
const FIVE: usize = 5;

fn asks() -> Turn {
    calls([("ask", r#"{"n":2,"large":true}"#), ("look", r#"{"n":3}"#)])
}

fn loses() -> Turn {
    calls([("lost", r#"{"n":2}"#)])
}

fn delegates() -> Turn {
    calls([("sub", "{}")])
}

/// An assistant whose tool `sub` is an agent that asks a person.
fn with_child(world: &World) -> String {
    let child = world.agent(2, r#"{"steps":[{"id":"ask","approval":{"prompt":"go?"}}]}"#);
    let sub = format!(
        r#""sub":{{"kind":"agent","agent":"{child}","description":"?","input_schema":{{"type":"object"}}}},"look""#
    );
    assistant("").replacen(r#""look""#, &sub, 1)
}

fn approve(world: &World, run: RunId) {
    world.decide(run, Choice::Approve).unwrap();
}

/// The outcome of the call is never found out.
fn settle(world: &World, run: RunId) {
    let operation = world.doubtful(run).unwrap();
    let verdict = Verdict::Failed { reason: Some("it never arrived".to_owned()) };
    let command = ReconcileRun { run, operation, verdict, expected: None };
    world.ask(world.runs.reconcile.handle(&World::actor(), command)).unwrap();
}

/// Approves the request of the run that began last.
fn approve_below(world: &World, _: RunId) {
    let queued = world.recorded().into_iter().rfind(|event| event.event_type.as_ref() == "run.queued");
    let child = RunId::from(queued.unwrap().stream_id);
    if world.status(child) == RunStatus::Waiting {
        approve(world, child);
    }
}

#[test]
fn stopped_while_a_person_is_asked() {
    let found = stopped(asks(), |_| assistant(""), "turn_2", nobody);
    assert_eq!(counted(found), (vec![Waiting::Approval], RunStatus::Cancelled, FIVE, true));
}

#[test]
fn stopped_while_the_outcome_of_a_call_is_unknown() {
    let found = stopped(loses(), |_| assistant(""), "turn_2", nobody);
    assert_eq!(counted(found), (vec![Waiting::Reconcile], RunStatus::Cancelled, FIVE, true));
}

#[test]
fn stopped_while_the_model_is_to_be_asked_again_later() {
    let later = Turn::RateLimited(Some(Duration::from_secs(60)));
    let found = stopped(later, |_| assistant(""), "turn_2", nobody);
    assert_eq!(counted(found), (vec![Waiting::Timer], RunStatus::Cancelled, FIVE, true));
}

#[test]
fn stopped_while_another_agent_runs() {
    let found = stopped(delegates(), with_child, "turn_2", nobody);
    assert_eq!(counted(found), (vec![Waiting::Child], RunStatus::Cancelled, FIVE, true));
}

#[test]
fn calls_that_were_stopped_while_a_person_was_asked_are_told_in_pairs() {
    let found = stopped(asks(), |_| assistant(""), "turn_2_tools", approve);
    assert_eq!(counted(found), (vec![Waiting::Approval], RunStatus::Cancelled, FIVE + 3, true));
}

#[test]
fn a_call_that_was_stopped_while_its_outcome_was_unknown_is_told_in_a_pair() {
    let found = stopped(loses(), |_| assistant(""), "turn_2_tools", settle);
    assert_eq!(counted(found), (vec![Waiting::Reconcile], RunStatus::Cancelled, FIVE + 2, true));
}

#[test]
fn a_call_that_was_stopped_while_another_agent_ran_is_told_in_a_pair() {
    let found = stopped(delegates(), with_child, "turn_2_tools", approve_below);
    assert_eq!(counted(found), (vec![Waiting::Child], RunStatus::Cancelled, FIVE + 2, true));
}

#[test]
fn a_conversation_without_one_of_its_calls_or_results_is_in_no_pairs() {
    let (_, _, messages) = stopped(asks(), |_| assistant(""), "turn_2_tools", approve);
    let of_pairs = |at: &usize| matches!(messages[*at], Message::Assistant { .. } | Message::Tool { .. });
    let left: Vec<_> = (0..messages.len()).filter(of_pairs).collect();
    let accepted = left.iter().filter(|at| paired(&[&messages[..**at], &messages[**at + 1..]].concat())).count();
    assert_eq!((left.len(), accepted), (6, 0));
}

#[test]
fn a_conversation_whose_results_are_in_another_order_is_in_no_pairs() {
    let (_, _, mut messages) = stopped(asks(), |_| assistant(""), "turn_2_tools", approve);
    let last = messages.len() - 1;
    messages.swap(last - 1, last);
    assert!(!paired(&messages));
}
