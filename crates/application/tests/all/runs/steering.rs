//! Starting, cancelling and answering runs, and the refusals.

use devskyy_application::{
    error::{Error, Refused},
    es::Idempotency,
    runs::{ApprovalStatus, CancelRun, DecideApproval, ListApprovals, ListRuns, RunEvents, RunStatus, StartRun},
};
use devskyy_domain::{
    kernel::ids::{AgentId, ApprovalId, RunId},
    runs::{Choice, Priority},
};
use uuid::Uuid;

use super::{
    workflows::tool,
    world::{World, json},
};

const ASKS: &str = r#"{"steps":[{"id":"ask","approval":{"prompt":"go?"}}],"output":"done"}"#;

/// The outcome of a command: `done`, or the code of its refusal.
pub(super) fn code<T>(outcome: Result<T, Error>) -> &'static str {
    match outcome {
        Err(Error::Refused(Refused { code, .. })) => code,
        Err(Error::Invalid(refused)) => refused[0].code,
        Err(Error::NotFound(_)) => "not_found",
        Err(Error::KeyReused) => "key_reused",
        Err(Error::StaleVersion { .. }) => "stale_version",
        Err(error) => panic!("{error:?}"),
        Ok(_) => "done",
    }
}

/// A run of one call without an argument.
pub(super) fn calling(world: &World, effect: &str, url: &str) -> RunId {
    let text = format!(r#"{{"tools":{{"t":{}}},"steps":[{{"id":"a","tool":"t"}}],"output":7}}"#, tool(effect, url));
    world.start(&text, "null")
}

#[test]
fn an_unknown_agent_cannot_be_run() {
    let world = World::new();
    assert_eq!(code(world.try_start(AgentId::from(Uuid::nil()), "1")), "not_found");
}

#[test]
fn an_input_that_breaks_the_schema_is_refused_at_its_place() {
    let world = World::new();
    let agent = world.agent(1, r#"{"input_schema":{"required":["name"]},"steps":[{"id":"a","tool":"jq"}]}"#);
    let Err(Error::Invalid(refused)) = world.try_start(agent, "{}") else { panic!("the input is accepted") };
    assert_eq!((refused[0].code, refused[0].pointer.as_deref()), ("run.input_schema", Some("/input")));
}

#[test]
fn an_input_that_is_too_large_is_refused() {
    let world = World::new();
    let agent = world.agent(1, ASKS);
    let input = format!(r#""{}""#, "x".repeat(1024 * 1024 + 1));
    assert_eq!(code(world.try_start(agent, &input)), "run.value_too_large");
}

#[test]
fn a_deadline_in_the_past_is_refused() {
    let world = World::new();
    let agent = world.agent(1, ASKS);
    let command = start(agent, None, "2020-01-01T00:00:00Z".parse().ok());
    assert_eq!(code(world.ask(world.runs.start.handle(&World::actor(), command))), "run.deadline_passed");
}

fn start(agent: AgentId, key: Option<u8>, deadline: Option<chrono::DateTime<chrono::Utc>>) -> StartRun {
    let idempotency = key.map(|print| Idempotency { scope: Uuid::nil(), key: "k".into(), fingerprint: [print; 32] });
    StartRun { agent, input: json("1"), priority: Priority::Normal, deadline, wait: None, idempotency }
}

#[test]
fn a_repeated_request_starts_one_run() {
    let world = World::new();
    let agent = world.agent(1, ASKS);
    let first = world.ask(world.runs.start.handle(&World::actor(), start(agent, Some(1), None))).unwrap();
    let second = world.ask(world.runs.start.handle(&World::actor(), start(agent, Some(1), None))).unwrap();
    assert_eq!((first.run.summary.id, second.replayed), (second.run.summary.id, true));
    assert_eq!(world.ask(world.runs.list.handle(&World::actor(), ListRuns::default())).unwrap().total(), Some(1));
}

#[test]
fn a_key_used_for_something_else_is_refused() {
    let world = World::new();
    let agent = world.agent(1, ASKS);
    world.ask(world.runs.start.handle(&World::actor(), start(agent, Some(1), None))).unwrap();
    let other = world.ask(world.runs.start.handle(&World::actor(), start(agent, Some(2), None)));
    assert_eq!(code(other), "key_reused");
}

#[test]
fn a_queued_run_is_cancelled_at_once() {
    let world = World::new();
    let run = world.start(ASKS, "1");
    assert_eq!(world.cancel(run).unwrap().summary.status, RunStatus::Cancelled);
}

#[test]
fn a_waiting_run_is_cancelled_at_once_and_its_question_withdrawn() {
    let world = World::new();
    let run = world.start(ASKS, "1");
    world.work_until_waiting(run);
    world.cancel(run).unwrap();
    let approvals = world.ask(world.runs.approvals.handle(&World::actor(), ListApprovals::default())).unwrap();
    assert_eq!(world.status(run), RunStatus::Cancelled);
    assert_eq!(approvals.items[0].status, ApprovalStatus::Withdrawn);
}

#[test]
fn a_running_run_is_cancelled_by_its_worker_within_moments() {
    let world = World::new();
    let run = calling(&world, "unsafe", "hangs");
    let cancelled = std::cell::Cell::new(false);
    let ended = world.work_for(1_000, |world| {
        if !cancelled.get() && !world.tools.made().is_empty() {
            assert_eq!(world.cancel(run).unwrap().summary.status, RunStatus::Cancelling);
            cancelled.set(true);
        }
        world.status(run) == RunStatus::Cancelled
    });
    assert!(ended, "the same worker notices and ends the run");
}

#[test]
fn cancelling_twice_is_cancelling_once() {
    let world = World::new();
    let run = world.start(ASKS, "1");
    let version = world.cancel(run).unwrap().summary.version;
    assert_eq!(world.cancel(run).unwrap().summary.version, version);
}

#[test]
fn a_completed_run_cannot_be_cancelled() {
    let world = World::new();
    let run = calling(&world, "unsafe", "echo");
    world.work_to_end(run);
    assert_eq!(code(world.cancel(run)), "run.ended");
}

#[test]
fn cancelling_with_an_old_version_is_refused() {
    let world = World::new();
    let run = world.start(ASKS, "1");
    world.work_until_waiting(run);
    let command = CancelRun { run, reason: None, expected: Some(1) };
    assert_eq!(code(world.ask(world.runs.cancel.handle(&World::actor(), command))), "stale_version");
}

#[test]
fn cancelling_a_run_cancels_its_children() {
    let world = World::new();
    let child = world.agent(2, ASKS);
    let run = world.start(&format!(r#"{{"steps":[{{"id":"call","agent":"{child}"}}]}}"#), "null");
    world.work_until_waiting(run);
    let child_run = world.view(run).steps[0].execution.child_run_id.unwrap();
    world.work_until_waiting(child_run);
    world.cancel(run).unwrap();
    world.react();
    assert_eq!(world.status(child_run), RunStatus::Cancelled);
}

#[test]
fn the_same_answer_twice_is_one_answer() {
    let world = World::new();
    let run = world.start(ASKS, "1");
    world.work_until_waiting(run);
    let approval = world.open_approval(run).unwrap();
    let decide = |decision| {
        let command =
            DecideApproval { run, approval, decision, arguments: None, reason: Some("ok".into()), expected: None };
        world.ask(world.runs.decide_approval.handle(&World::actor(), command))
    };
    let version = decide(Choice::Approve).unwrap().summary.version;
    assert_eq!(decide(Choice::Approve).unwrap().summary.version, version);
    assert_eq!(code(decide(Choice::Deny)), "run.approval_decided");
}

#[test]
fn a_question_nobody_asked_is_not_found() {
    let world = World::new();
    let run = world.start(ASKS, "1");
    let approval = ApprovalId::from(Uuid::nil());
    let command =
        DecideApproval { run, approval, decision: Choice::Deny, arguments: None, reason: None, expected: None };
    assert_eq!(code(world.ask(world.runs.decide_approval.handle(&World::actor(), command))), "not_found");
}

#[test]
fn an_idempotent_call_without_an_answer_is_made_again_at_once() {
    let world = World::new();
    let run = calling(&world, "idempotent", "lost");
    assert_eq!(world.work_to_end(run).summary.error.unwrap().code, "tool.scripted");
    assert_eq!(world.tools.per_operation().into_values().collect::<Vec<_>>(), [4]);
}

#[test]
fn events_continue_after_a_position() {
    let world = World::new();
    let run = calling(&world, "unsafe", "echo");
    world.work_to_end(run);
    let ask = |after, known, limit| {
        world.ask(world.runs.events.handle(&World::actor(), run, RunEvents { after, known, limit })).unwrap()
    };
    let all = ask(0, 0, 100);
    let kinds: Vec<_> = all.events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["run.queued", "run.claimed", "run.tool_called", "run.tool_succeeded", "run.completed"]);
    assert!(all.ended() && !all.more);
    let first = ask(0, 0, 2);
    assert!(first.more && !first.ended());
    assert_eq!(ask(first.events[1].position, 0, 100).events, all.events[2..]);
    assert_eq!(ask(0, first.known, 100).events, all.events[2..]);
}

#[test]
fn the_answer_can_wait_for_the_end() {
    let world = World::new();
    let agent = world.agent(1, ASKS);
    let command = StartRun { wait: Some(std::time::Duration::from_secs(5)), ..start(agent, None, None) };
    let actor = World::actor();
    let mut answer = std::pin::pin!(world.runs.start.handle(&actor, command));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(answer.as_mut().poll(&mut context).is_pending());
    world.clock.advance(std::time::Duration::from_secs(5));
    let std::task::Poll::Ready(started) = answer.as_mut().poll(&mut context) else { panic!("it waits too long") };
    assert_eq!(started.unwrap().run.summary.status, RunStatus::Queued);
}
