//! A worker may vanish, and a run be cancelled, at any moment of an assistant's run.

use std::{cell::Cell, time::Duration};

use devskyy_application::{
    models::ModelRequest,
    runs::{ReconcileRun, RunStatus, StepStatus},
};
use devskyy_domain::{
    conversation::Message,
    kernel::{Json, ids::RunId},
    runs::{Choice, Verdict},
};
use devskyy_testkit::fakes::{ScriptedModels, Turn};

use super::{
    assistants::{INPUT, assistant, calls, decide},
    world::World,
};

fn paired(messages: &[Message]) -> bool {
    let wanted = messages.iter().flat_map(|message| match message {
        Message::Assistant { calls, .. } => calls.iter().map(|call| call.id.clone()).collect(),
        _ => Vec::new(),
    });
    let answered = messages.iter().filter_map(|message| match message {
        Message::Tool { call, .. } => Some(call.clone()),
        _ => None,
    });
    wanted.eq(answered)
}

/// Every kind of call in two turns, by a model that depends on its input only.
fn play(request: &ModelRequest, _: usize) -> Turn {
    assert!(paired(&request.messages), "{:?}", request.messages);
    let turns = request.messages.iter().filter(|message| matches!(message, Message::Assistant { .. })).count();
    match turns {
        0 => calls([("look", r#"{"n":1}"#), ("ask", r#"{"n":2,"large":true}"#), ("no", r#"{"n":3}"#)]),
        1 => calls([("pay", r#"{"n":4}"#)]),
        _ => Turn::says("done"),
    }
}

/// Plays the people: approves, and settles calls in doubt by what the other side recorded.
fn attend(world: &World, run: RunId) {
    if world.open_approval(run).is_some() {
        decide(world, run, Choice::Approve, None).unwrap();
    }
    let elements = world.view(run).steps.into_iter().flat_map(|step| step.elements.unwrap_or_default());
    let doubtful = elements.filter(|element| element.status == StepStatus::InDoubt);
    for operation in doubtful.filter_map(|element| element.operation_id) {
        let arrived = world.tools.per_operation().contains_key(&operation);
        let verdict = if arrived { Verdict::Succeeded { result: Json::Null.into() } } else { Verdict::Retry };
        let command = ReconcileRun { run, operation, verdict, expected: None };
        world.ask(world.runs.reconcile.handle(&World::actor(), command)).unwrap();
    }
}

#[test]
fn a_worker_may_vanish_at_any_point() {
    let polls = Cell::new(0);
    for crash in 0.. {
        let world = World::with(ScriptedModels::playing(play));
        let run = world.start(&assistant(""), INPUT);
        let over = |world: &World| {
            attend(world, run);
            world.status(run).ended()
        };
        let done = world.work_for(crash, over);
        world.work_until(over);
        let view = world.view(run);
        assert_eq!(view.output, Some("done".into()), "crash after {crash} polls: {:?}", view.summary.error);
        let filed = world.tools.made().iter().filter(|(address, _)| address == "file").count();
        assert_eq!(filed, 2, "unsafe calls are made once each; crash after {crash} polls");
        let asked: std::collections::BTreeSet<_> = world.models.asked().iter().map(|it| it.operation).collect();
        assert_eq!(asked.len(), 3, "a question keeps its operation; crash after {crash} polls");
        polls.set(crash);
        if done {
            break;
        }
    }
    assert!(polls.get() > 20, "the run is interrupted in many places, not {}", polls.get());
}

#[test]
fn a_run_can_be_cancelled_at_any_point() {
    for moment in 0..80 {
        let world = World::with(ScriptedModels::playing(play));
        let run = world.start(&assistant(""), INPUT);
        world.work_for(moment, |world| {
            if moment % 2 == 0 {
                attend(world, run);
            }
            world.status(run).ended()
        });
        if world.status(run).ended() {
            return;
        }
        world.cancel(run).unwrap();
        world.clock.advance(Duration::from_secs(60));
        assert_eq!(world.work_to_end(run).summary.status, RunStatus::Cancelled, "at {moment}");
    }
}
