//! A run that cannot be carried out is no other run's trouble, and not for ever its own.

use std::sync::Arc;

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{AppendError, AppendRequest, Appended, EventFilter, EventStore, Page, Position, RecordedEvent, StreamId},
    runs::{RunStatus, RunWorker, WorkerPorts},
    workflow::{EvaluationError, Expressions, SyntaxError},
};
use devskyy_domain::kernel::{Json, Version};
use devskyy_testkit::fakes::PathExpressions;

use super::world::{ENOUGH, World};

const ASKS: &str = r#"{"steps":[{"id":"a","approval":{"prompt":"{{ input }}"}}]}"#;
const RUNS: &str = r#"{"steps":[{"id":"a","when":".input","tool":"jq","arguments":1}]}"#;
const DEFECTIVE: &str = r#"{"steps":[{"id":"a","when":"defect","tool":"jq","arguments":1}]}"#;

/// A log that takes no question.
struct Unasking(Arc<dyn EventStore>);

#[async_trait]
impl EventStore for Unasking {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        let events = request.writes.iter().flat_map(|write| &write.events);
        if events.into_iter().any(|event| event.event_type == "run.approval_requested") {
            return Err(PortError::bug("event store", "appending events", "it takes no questions").into());
        }
        self.0.append(request).await
    }

    async fn read_stream(&self, stream: StreamId, after: Version, max: usize) -> Result<Vec<RecordedEvent>, PortError> {
        self.0.read_stream(stream, after, max).await
    }

    async fn read_all(&self, after: Position, max: usize, filter: &EventFilter) -> Result<Page, PortError> {
        self.0.read_all(after, max, filter).await
    }

    async fn head(&self) -> Result<Position, PortError> {
        self.0.head().await
    }

    async fn beyond(&self, position: Position) -> Position {
        self.0.beyond(position).await
    }
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

fn unasking(world: &World) -> RunWorker {
    world.worker_with(|ports| WorkerPorts { store: Arc::new(Unasking(ports.store.clone())), ..ports })
}

fn defective(world: &World) -> RunWorker {
    world.worker_with(|ports| WorkerPorts { expressions: Arc::new(Defective), ..ports })
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
    assert_eq!(world.times("run.claimed"), 6);
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
