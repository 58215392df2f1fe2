//! A worker that is asked to stop: what it still does, what it abandons, and that the next one continues at once.

use std::{
    future::poll_fn,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};

use devskyy_application::runs::{RunStatus, StepStatus};
use devskyy_domain::{
    kernel::ids::RunId,
    runs::{MAX_IN_VAIN, Waiting},
};
use devskyy_testkit::fakes::{ScriptedModels, Turn};

use super::{
    assistants::{INPUT, assistant},
    workflows::tool,
    world::{World, json},
};

/// More polls than a worker needs for anything in these tests while time stands still.
const MOMENT: usize = 200;

fn calling(world: &World, effect: &str, first: &str) -> RunId {
    let (first, second) = (tool(effect, first), tool("idempotent", "echo"));
    let text = format!(
        r#"{{"tools":{{"one":{first},"two":{second}}},"steps":[
        {{"id":"a","tool":"one","arguments":1}},{{"id":"b","needs":["a"],"tool":"two","arguments":2}}],
        "output":{{"$jq":".steps.b.output"}}}}"#
    );
    world.start(&text, "null")
}

/// A worker works until `busy`, is asked to stop, and works so long; returns whether it has ended by then.
fn stopped(world: &World, busy: impl Fn(&World) -> bool, after: Duration) -> bool {
    let (worker, asked) = (world.worker(), AtomicBool::new(false));
    let stop = poll_fn(|_| if asked.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending });
    let mut work = pin!(worker.work(stop));
    let mut context = Context::from_waker(Waker::noop());
    let mut ended =
        |until: &dyn Fn() -> bool| (0..MOMENT).any(|_| until() || work.as_mut().poll(&mut context).is_ready());
    assert!(ended(&|| busy(world)), "the worker never gets that far");
    asked.store(true, Ordering::SeqCst);
    if after.is_zero() {
        return ended(&|| false);
    }
    assert!(!ended(&|| false), "there is nothing to wait for");
    world.clock.advance(after);
    ended(&|| false)
}

/// A worker starts and works while time stands still: no lease lapses meanwhile.
fn at_once(world: &World, done: impl Fn(&World) -> bool) -> bool {
    let worker = world.worker();
    let mut work = pin!(worker.work(std::future::pending()));
    let mut context = Context::from_waker(Waker::noop());
    (0..MOMENT).any(|_| {
        assert!(work.as_mut().poll(&mut context).is_pending(), "a worker works until it is stopped");
        done(world)
    })
}

fn begun(world: &World) -> bool {
    !world.tools.made().is_empty()
}

#[test]
fn a_run_between_two_calls_is_handed_over_at_once() {
    let world = World::new();
    let run = calling(&world, "unsafe", "echo");
    assert!(stopped(&world, begun, Duration::ZERO));
    let view = world.view(run);
    assert_eq!((view.summary.status, view.steps[0].execution.status), (RunStatus::Running, StepStatus::Succeeded));
}

#[test]
fn a_worker_that_stops_begins_no_call() {
    let world = World::new();
    calling(&world, "idempotent", "echo");
    stopped(&world, begun, Duration::ZERO);
    assert_eq!(world.tools.made().len(), 1);
}

#[test]
fn a_run_that_was_handed_over_is_finished_without_waiting_for_a_lease() {
    let world = World::new();
    let run = calling(&world, "unsafe", "echo");
    stopped(&world, begun, Duration::ZERO);
    at_once(&world, |world| world.status(run).ended());
    assert_eq!((world.view(run).output, world.tools.made().len()), (Some(json("2")), 2));
}

#[test]
fn a_call_under_way_has_its_time() {
    let world = World::new();
    calling(&world, "idempotent", "hangs");
    assert!(!stopped(&world, begun, Duration::from_secs(19)));
}

#[test]
fn a_call_that_takes_longer_is_made_again_by_the_next_worker_at_once() {
    let world = World::new();
    calling(&world, "idempotent", "hangs");
    assert!(stopped(&world, begun, Duration::from_secs(21)));
    at_once(&world, |world| world.tools.made().len() == 2);
    let operations: Vec<_> = world.tools.per_operation().into_values().collect();
    assert_eq!(operations, [2], "under its own operation id");
}

#[test]
fn a_run_that_was_handed_over_very_often_goes_on() {
    let world = World::new();
    let run = calling(&world, "idempotent", "hangs");
    for made in 1..=2 * MAX_IN_VAIN as usize {
        stopped(&world, |world| world.tools.made().len() == made, Duration::from_secs(21));
    }
    assert_eq!(world.status(run), RunStatus::Running);
}

#[test]
fn an_unsafe_call_that_takes_longer_is_put_before_people() {
    let world = World::new();
    let run = calling(&world, "unsafe", "hangs");
    stopped(&world, begun, Duration::from_secs(21));
    let view = world.view(run);
    assert_eq!(
        (view.summary.waiting_for, view.steps[0].execution.status),
        (vec![Waiting::Reconcile], StepStatus::InDoubt)
    );
}

#[tokio::test]
async fn a_question_to_a_model_that_takes_longer_is_asked_again_by_the_next_worker_at_once() {
    let world = World::with(ScriptedModels::taking([Turn::FallsSilent("well".into()), Turn::says("done")]));
    world.start(&assistant(""), INPUT);
    assert!(stopped(&world, |world| world.models.asked().len() == 1, Duration::from_secs(21)));
    let abandoned = world.models.abandoned();
    assert_eq!((abandoned, at_once(&world, |world| world.models.asked().len() == 2)), (1, true));
}

#[test]
fn a_run_is_cancelled_while_its_worker_stops() {
    let world = World::new();
    let run = calling(&world, "idempotent", "hangs");
    let worker = world.worker();
    let asked = AtomicBool::new(false);
    let stop = poll_fn(|_| if asked.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending });
    let mut work = pin!(worker.work(stop));
    let mut context = Context::from_waker(Waker::noop());
    let mut poll = || (0..MOMENT).any(|_| work.as_mut().poll(&mut context).is_ready());
    poll();
    asked.store(true, Ordering::SeqCst);
    poll();
    world.cancel(run).unwrap();
    assert!(poll(), "the worker has nothing left to wait for");
}
