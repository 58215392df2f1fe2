//! Stopping an assistant while it waits, for whatever it waits, and asking its model again from there.

use std::{collections::VecDeque, time::Duration};

use devskyy_application::runs::{ForkRun, RunStatus};
use devskyy_domain::{conversation::Message, runs::Waiting};
use devskyy_testkit::fakes::{ScriptedModels, Turn};

use super::{
    assistants::{INPUT, assistant, calls},
    world::World,
};

/// Whether every call an assistant wanted has its result next, in order.
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

/// What a run waited for when it was stopped, how it ended, and what its model is asked from the step on: how many messages, and
/// whether they are in pairs.
fn stopped(
    second: Turn,
    definition: impl FnOnce(&World) -> String,
    from: &str,
) -> (Vec<Waiting>, RunStatus, usize, bool) {
    let look = calls([("look", r#"{"n":1}"#), ("look", r#"{"n":2}"#)]);
    let world = World::with(ScriptedModels::taking([look, second, Turn::says("done")]));
    let text = definition(&world);
    let run = world.start(&text, INPUT);
    world.work_until_waiting(run);
    let waiting = world.view(run).summary.waiting_for;
    let status = world.cancel(run).unwrap().summary.status;
    let (step, agent_version, input) = (from.to_owned(), None, None);
    let fork =
        ForkRun { run, step, agent_version, input, priority: None, deadline: None, wait: None, idempotency: None };
    let fork = world.ask(world.runs.fork.handle(&World::actor(), fork)).unwrap().run.summary.id;
    world.work_to_end(fork);
    let asked = world.models.asked().pop().unwrap();
    (waiting, status, asked.messages.len(), paired(&asked.messages))
}

/// The instructions, the input, an answer and the results of its two calls.
const FIVE: usize = 5;

#[test]
fn stopped_while_a_person_is_asked() {
    let asks = calls([("ask", r#"{"n":2,"large":true}"#), ("look", r#"{"n":3}"#)]);
    let found = stopped(asks, |_| assistant(""), "turn_2");
    assert_eq!(found, (vec![Waiting::Approval], RunStatus::Cancelled, FIVE, true));
}

#[test]
fn stopped_while_the_outcome_of_a_call_is_unknown() {
    let found = stopped(calls([("lost", r#"{"n":2}"#)]), |_| assistant(""), "turn_2");
    assert_eq!(found, (vec![Waiting::Reconcile], RunStatus::Cancelled, FIVE, true));
}

#[test]
fn stopped_while_the_model_is_to_be_asked_again_later() {
    let found = stopped(Turn::RateLimited(Some(Duration::from_secs(60))), |_| assistant(""), "turn_2");
    assert_eq!(found, (vec![Waiting::Timer], RunStatus::Cancelled, FIVE, true));
}

#[test]
fn stopped_while_another_agent_runs() {
    let child = |world: &World| {
        let child = world.agent(2, r#"{"steps":[{"id":"ask","approval":{"prompt":"go?"}}]}"#);
        let sub = format!(
            r#""sub":{{"kind":"agent","agent":"{child}","description":"?","input_schema":{{"type":"object"}}}},"look""#
        );
        assistant("").replacen(r#""look""#, &sub, 1)
    };
    let found = stopped(calls([("sub", "{}")]), child, "turn_2");
    assert_eq!(found, (vec![Waiting::Child], RunStatus::Cancelled, FIVE, true));
}
