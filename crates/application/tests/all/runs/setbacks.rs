//! A run that cannot be executed delays no other run, and does not wait for ever itself.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{AppendError, AppendRequest, Appended, EventStore},
    runs::{RunStatus, RunWorker, RunnableAgent, RunnableAgents, WorkerPorts},
    workflow::{EvaluationError, Expressions, SyntaxError},
};
use devskyy_domain::{
    definition::Definition,
    kernel::{Json, ids::AgentId},
    runs::MAX_IN_VAIN,
};
use devskyy_testkit::{fakes::PathExpressions, reads_through};

use super::{
    workflows::tool,
    world::{ENOUGH, World},
};

/// Polls in which everything immediate has happened, and nothing that needs a lease to lapse.
const SOON: usize = 40;

const ASKS: &str = r#"{"steps":[{"id":"a","approval":{"prompt":"{{ input }}"}}]}"#;
const RUNS: &str = r#"{"steps":[{"id":"a","when":".input","tool":"jq","arguments":1}]}"#;
const DEFECTIVE: &str = r#"{"steps":[{"id":"a","when":"defect","tool":"jq","arguments":1}]}"#;

/// A log that refuses all reads.
struct Unasking(Arc<dyn EventStore>);

impl devskyy_application::es::Rewindable for Unasking {}

#[async_trait]
impl EventStore for Unasking {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        let events = request.writes.iter().flat_map(|write| &write.events);
        if events.into_iter().any(|event| event.event_type == "run.approval_requested") {
            return Err(PortError::bug("event store", "appending events", "it takes no questions").into());
        }
        self.0.append(request).await
    }

    reads_through!(0);
}

/// A log that breaks off two of three appends without a known outcome: one it has recorded, one it has not.
struct Absent {
    log: Arc<dyn EventStore>,
    asked: AtomicUsize,
}

impl devskyy_application::es::Rewindable for Absent {}

#[async_trait]
impl EventStore for Absent {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        let unknown = || AppendError::Unknown(PortError::transient("event store", "appending events", "it broke off"));
        match self.asked.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => self.log.append(request).await.and(Err(unknown())),
            1 => Err(unknown()),
            _ => self.log.append(request).await,
        }
    }

    reads_through!(log);
}

/// Evaluates paths, and has a defect.
struct Defective;

#[async_trait]
impl Expressions for Defective {
    async fn check_program(&self, program: &str) -> Result<(), SyntaxError> {
        PathExpressions.check_program(program).await
    }

    async fn check_template(&self, template: &str) -> Result<(), SyntaxError> {
        PathExpressions.check_template(template).await
    }

    async fn evaluate(&self, program: &str, input: &Json) -> Result<Json, EvaluationError> {
        assert_ne!(program, "defect", "a defect");
        PathExpressions.evaluate(program, input).await
    }

    async fn render(&self, template: &str, context: &Json) -> Result<String, EvaluationError> {
        PathExpressions.render(template, context).await
    }
}

/// Agents that cannot be read at present.
struct Away;

#[async_trait]
impl RunnableAgents for Away {
    async fn find(&self, _: AgentId) -> Result<Option<RunnableAgent>, PortError> {
        Err(PortError::transient("agents", "looking", "they are away"))
    }

    async fn definition(&self, _: AgentId, _: u32) -> Result<Option<Arc<Definition>>, PortError> {
        Err(PortError::transient("agents", "looking", "they are away"))
    }
}

fn unasking(world: &World) -> RunWorker {
    world.worker_with(|ports| WorkerPorts { store: Arc::new(Unasking(ports.store.clone())), ..ports })
}

fn defective(world: &World) -> RunWorker {
    world.worker_with(|ports| WorkerPorts { expressions: Arc::new(Defective), ..ports })
}

/// The types of all events of a run that a worker executes to its end.
fn recorded_by(worker: impl FnOnce(&World) -> RunWorker) -> Vec<String> {
    let world = World::new();
    let run = world.start(RUNS, "true");
    let worker = worker(&world);
    assert!(world.drive(&worker, ENOUGH, |world| world.status(run).ended()), "the run does not end");
    world.recorded().into_iter().map(|event| event.event_type.into_owned()).collect()
}

#[test]
fn what_may_have_been_recorded_of_a_run_is_recorded_once() {
    let absent = recorded_by(|world| {
        world.worker_with(|ports| {
            let store = Arc::new(Absent { log: ports.store.clone(), asked: AtomicUsize::default() });
            WorkerPorts { store, ..ports }
        })
    });
    assert_eq!(absent, recorded_by(World::worker));
}

#[test]
fn a_question_is_asked_without_what_no_store_can_keep() {
    let world = World::new();
    let run = world.start(ASKS, r#""a\u0000b""#);
    world.work_until_waiting(run);
    let asked = world.view(run).steps.remove(0).execution.approval.map(|asked| asked.prompt);
    assert_eq!(asked.as_deref(), Some("a\u{FFFD}b"));
}

#[test]
fn a_run_whose_progress_cannot_be_recorded_fails_in_the_end() {
    let world = World::new();
    let run = world.start(ASKS, r#""go?""#);
    world.drive(&unasking(&world), ENOUGH, |world| world.status(run).ended());
    let error = world.view(run).summary.error.map(|error| error.code);
    assert_eq!((world.status(run), error.as_deref()), (RunStatus::Failed, Some("run.not_carried_out")));
}

#[test]
fn a_run_whose_progress_cannot_be_recorded_is_not_tried_all_the_time() {
    let world = World::new();
    let run = world.start(ASKS, r#""go?""#);
    world.drive(&unasking(&world), ENOUGH, |world| world.status(run).ended());
    assert_eq!(world.times("run.claimed"), 5);
}

#[test]
fn tries_are_counted_whoever_makes_them() {
    let world = World::new();
    let run = world.start(ASKS, r#""go?""#);
    for tried in 1..=5 {
        let since = Cell::new(0);
        // Each meets its failure, and has vanished before the next attempt.
        let set_back = |world: &World| {
            since.set(since.get() + usize::from(world.times("run.claimed") == tried));
            since.get() == SOON
        };
        assert!(world.drive(&unasking(&world), ENOUGH, set_back), "it is never tried {tried} times");
    }
    assert_eq!((world.status(run), world.times("run.claimed")), (RunStatus::Failed, 5));
}

#[test]
fn a_run_whose_workers_all_vanish_of_it_fails_in_the_end() {
    let world = World::new();
    let text = format!(r#"{{"tools":{{"t":{}}},"steps":[{{"id":"a","tool":"t"}}]}}"#, tool("idempotent", "hangs"));
    let run = world.start(&text, "null");
    let mut vanished = 0;
    while !world.status(run).ended() {
        world.work_until(|world| world.status(run).ended() || world.tools.made().len() > vanished);
        vanished = world.tools.made().len();
    }
    let error = world.view(run).summary.error.map(|error| error.code);
    // The first made progress: its call is recorded.
    assert_eq!((vanished, error.as_deref()), (1 + MAX_IN_VAIN as usize, Some("run.not_carried_out")));
}

#[test]
fn runs_whose_workers_vanished_often_are_taken_one_at_a_time() {
    let world = World::new();
    let text = format!(r#"{{"tools":{{"t":{}}},"steps":[{{"id":"a","tool":"t"}}]}}"#, tool("idempotent", "hangs"));
    let agent = world.agent(1, &text);
    for _ in 0..4 {
        world.try_start(agent, "null").unwrap();
    }
    // Each makes its call with the first worker, and again with the next three.
    for lives in 1..=4 {
        world.work_until(|world| world.tools.made().len() == 4 * lives);
    }
    world.drive(&world.worker(), ENOUGH / 10, |_| false);
    assert_eq!(world.tools.made().len(), 4 * 4 + 1);
}

#[test]
fn a_run_outlasts_whatever_passes() {
    let world = World::new();
    let run = world.start(RUNS, "true");
    let away = world.worker_with(|ports| WorkerPorts { agents: Arc::new(Away), ..ports });
    let tried = |world: &World| world.times("run.claimed") == 3 * MAX_IN_VAIN as usize;
    assert!(world.drive(&away, ENOUGH, tried), "it is not tried that often");
    assert_eq!(world.work_to_end(run).summary.status, RunStatus::Completed);
}

#[test]
fn a_run_that_waits_for_what_passes_is_left_alone_for_a_lease() {
    let world = World::new();
    world.start(RUNS, "true");
    let away = world.worker_with(|ports| WorkerPorts { agents: Arc::new(Away), ..ports });
    // A minute, and leases of a quarter of one.
    world.drive(&away, 240, |_| false);
    let claimed = world.times("run.claimed");
    assert!((3..=5).contains(&claimed), "{claimed} claims");
}

#[test]
fn a_run_that_is_left_alone_can_be_cancelled() {
    let world = World::new();
    let run = world.start(ASKS, r#""go?""#);
    let worker = unasking(&world);
    world.drive(&worker, 40, |_| false);
    world.cancel(run).unwrap();
    world.drive(&worker, 40, |world| world.status(run).ended());
    assert_eq!(world.status(run), RunStatus::Cancelled);
}

#[test]
fn a_defect_that_one_run_meets_leaves_the_others_alone() {
    let world = World::new();
    world.start(DEFECTIVE, "null");
    let agent = world.agent(2, RUNS);
    let other = world.try_start(agent, "true").unwrap();
    world.drive(&defective(&world), 200, |world| world.status(other).ended());
    assert_eq!(world.status(other), RunStatus::Completed);
}

#[test]
fn a_run_that_meets_a_defect_every_time_fails_in_the_end() {
    let world = World::new();
    let run = world.start(DEFECTIVE, "null");
    world.drive(&defective(&world), ENOUGH, |world| world.status(run).ended());
    let error = world.view(run).summary.error.map(|error| error.code);
    assert_eq!((world.status(run), error.as_deref()), (RunStatus::Failed, Some("run.not_carried_out")));
}
