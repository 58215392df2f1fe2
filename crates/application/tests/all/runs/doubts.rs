//! Calls whose outcome is unknown: what waits for a verdict, what a verdict does, and what it holds back.

use devskyy_application::runs::{ForkRun, ReconcileRun, RetryRun, RunEvents, RunStatus, StepStatus};
use devskyy_domain::{
    kernel::ids::{OperationId, RunId},
    runs::{Verdict, Waiting},
};
use uuid::Uuid;

use super::{
    steering::{calling, code},
    workflows::tool,
    world::{World, json},
};

fn reconcile(world: &World, run: RunId, operation: OperationId, verdict: Verdict) -> &'static str {
    let command = ReconcileRun { run, operation, verdict, expected: None };
    code(world.ask(world.runs.reconcile.handle(&World::actor(), command)))
}

#[test]
fn an_unsafe_call_without_an_answer_waits_for_a_verdict() {
    let world = World::new();
    let run = calling(&world, "unsafe", "lost");
    world.work_until_waiting(run);
    let view = world.view(run);
    assert_eq!(view.steps[0].execution.status, StepStatus::InDoubt);
    assert_eq!(view.summary.waiting_for, [Waiting::Reconcile]);
    assert_eq!(world.tools.made().len(), 1);
}

#[test]
fn a_verdict_of_success_goes_on_with_its_result() {
    let world = World::new();
    let run = calling(&world, "unsafe", "lost");
    world.work_until_waiting(run);
    let operation = world.doubtful(run).unwrap();
    assert_eq!(reconcile(&world, run, operation, Verdict::Succeeded { result: json("1").into() }), "done");
    assert_eq!(world.work_to_end(run).summary.status, RunStatus::Completed);
    assert_eq!(world.tools.made().len(), 1);
}

#[test]
fn a_verdict_of_failure_fails_the_run() {
    let world = World::new();
    let run = calling(&world, "unsafe", "lost");
    world.work_until_waiting(run);
    let operation = world.doubtful(run).unwrap();
    assert_eq!(reconcile(&world, run, operation, Verdict::Failed { reason: None }), "done");
    assert_eq!(world.work_to_end(run).summary.error.unwrap().code, "run.settled_as_failed");
}

#[test]
fn a_verdict_of_retry_makes_the_call_again_under_its_operation() {
    let world = World::new();
    let run = calling(&world, "unsafe", "lost");
    world.work_until_waiting(run);
    let operation = world.doubtful(run).unwrap();
    assert_eq!(reconcile(&world, run, operation, Verdict::Retry), "done");
    world.work_until(|world| world.tools.made().len() == 2);
    assert_eq!(world.tools.per_operation().into_values().collect::<Vec<_>>(), [2]);
}

/// Waits for a verdict until it is cancelled.
fn stopped_in_doubt() -> (World, RunId, OperationId) {
    let world = World::new();
    let run = calling(&world, "unsafe", "lost");
    world.work_until_waiting(run);
    world.cancel(run).unwrap();
    let operation = world.doubtful(run).unwrap();
    (world, run, operation)
}

fn again(world: &World, run: RunId) -> &'static str {
    let (priority, deadline, wait, idempotency) = (None, None, None, None);
    let retry = RetryRun { run, priority, deadline, wait, idempotency };
    code(world.ask(world.runs.retry.handle(&World::actor(), retry)))
}

#[test]
fn what_became_of_a_call_is_recorded_also_after_the_end_of_its_run() {
    let (world, run, operation) = stopped_in_doubt();
    assert_eq!(world.view(run).doubts.iter().map(|doubt| doubt.operation).collect::<Vec<_>>(), [operation]);
    assert_eq!(reconcile(&world, run, operation, Verdict::Succeeded { result: json("1").into() }), "done");
    let view = world.view(run);
    let step = view.steps[0].execution.status;
    assert_eq!((view.summary.status, step, view.doubts.len()), (RunStatus::Cancelled, StepStatus::Succeeded, 0));
}

/// A run that waits for a child and is cancelled with it, in the middle of an unsafe call of the child.
fn stopped_above_a_doubt() -> (World, RunId, RunId, OperationId) {
    let world = World::new();
    let unsafe_call = tool("unsafe", "lost");
    let below = world.agent(2, &format!(r#"{{"tools":{{"t":{unsafe_call}}},"steps":[{{"id":"a","tool":"t"}}]}}"#));
    let run = world.start(&format!(r#"{{"steps":[{{"id":"call","agent":"{below}"}}]}}"#), "null");
    world.work_until_waiting(run);
    let child = world.view(run).steps[0].execution.child_run_id.unwrap();
    world.work_until_waiting(child);
    let operation = world.doubtful(child).unwrap();
    world.cancel(run).unwrap();
    (world, run, child, operation)
}

#[test]
fn a_run_is_not_repeated_while_a_run_below_it_has_a_call_in_doubt() {
    let (world, run, _, _) = stopped_above_a_doubt();
    assert_eq!(again(&world, run), "run.in_doubt");
}

#[test]
fn a_run_is_not_repeated_after_its_child_was_stopped_with_a_call_in_doubt() {
    let (world, run, child, _) = stopped_above_a_doubt();
    world.react();
    assert_eq!((world.status(child), again(&world, run)), (RunStatus::Cancelled, "run.in_doubt"));
}

#[test]
fn a_run_is_not_forked_while_a_run_below_it_has_a_call_in_doubt() {
    let (world, run, _, _) = stopped_above_a_doubt();
    let (step, agent_version, input) = ("call".to_owned(), None, None);
    let fork =
        ForkRun { run, step, agent_version, input, priority: None, deadline: None, wait: None, idempotency: None };
    assert_eq!(code(world.ask(world.runs.fork.handle(&World::actor(), fork))), "run.in_doubt");
}

#[test]
fn a_run_is_repeated_once_it_is_known_what_became_of_the_calls_below_it() {
    let (world, run, child, operation) = stopped_above_a_doubt();
    world.react();
    assert_eq!(reconcile(&world, child, operation, Verdict::Failed { reason: None }), "done");
    assert_eq!(again(&world, run), "done");
}

/// A run that got a verdict after its end.
fn settled_after_the_end() -> (World, RunId) {
    let (world, run, operation) = stopped_in_doubt();
    assert_eq!(reconcile(&world, run, operation, Verdict::Failed { reason: None }), "done");
    (world, run)
}

#[test]
fn a_page_that_reaches_a_verdict_after_the_end_says_that_the_run_has_ended() {
    let (world, run) = settled_after_the_end();
    let look = |after| RunEvents { after, known: 0, limit: 100 };
    let all = world.ask(world.runs.events.handle(&World::actor(), run, look(0))).unwrap();
    let [.., end, _] = all.events.as_slice() else { panic!("{all:?}") };
    let rest = world.ask(world.runs.events.handle(&World::actor(), run, look(end.position))).unwrap();
    let kinds: Vec<_> = rest.events.iter().map(|event| event.kind).collect();
    assert_eq!((kinds, all.ended(), rest.ended()), (vec!["run.outcome_settled"], true, true));
}

#[test]
fn whoever_reads_event_by_event_comes_to_the_verdict_after_the_end_and_stops_there() {
    let (world, run) = settled_after_the_end();
    let first = RunEvents { after: 0, known: 0, limit: 1 };
    let mut page = world.ask(world.runs.events.handle(&World::actor(), run, first)).unwrap();
    let mut kinds = Vec::new();
    loop {
        kinds.extend(page.events.iter().map(|event| event.kind));
        if !page.more {
            break;
        }
        page = world.ask(world.runs.events.next(run, &page, 0, 1)).unwrap();
    }
    assert_eq!((kinds.last(), page.ended()), (Some(&"run.outcome_settled"), true), "{kinds:?}");
}

#[test]
fn a_call_in_doubt_is_not_made_again_after_the_end_of_its_run() {
    let (world, run, operation) = stopped_in_doubt();
    assert_eq!(reconcile(&world, run, operation, Verdict::Retry), "run.ended");
}

#[test]
fn a_run_is_repeated_once_it_is_known_what_became_of_its_calls() {
    let (world, run, operation) = stopped_in_doubt();
    assert_eq!(again(&world, run), "run.in_doubt");
    reconcile(&world, run, operation, Verdict::Failed { reason: None });
    assert_eq!(again(&world, run), "done");
}

#[test]
fn a_call_whose_outcome_is_known_takes_no_verdict() {
    let world = World::new();
    let run = world.start(r#"{"steps":[{"id":"ask","approval":{"prompt":"go?"}}]}"#, "1");
    assert_eq!(reconcile(&world, run, OperationId::from(Uuid::nil()), Verdict::Retry), "not_found");
}
