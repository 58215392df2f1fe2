//! What becomes of runs when their project is suspended, resumed or archived.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{
        AppendError, AppendRequest, Appended, EventContext, EventFilter, EventStore, Page, Position, Precondition,
        Repository,
    },
    runs::{RunStatus, RunWorker, WorkerPorts},
};
use devskyy_domain::{
    kernel::ids::{ProjectId, RunId, UserId},
    projects::{Project, ProjectError, ProjectEvent, ProjectName},
};
use devskyy_testkit::reads_through;
use uuid::Uuid;

use super::{
    workflows::tool,
    world::{PROJECT, World, json},
};

/// More polls than a worker needs for anything in these tests.
const WHILE: usize = 400;

fn project() -> ProjectId {
    ProjectId::from(Uuid::from_u128(PROJECT))
}

fn happens(world: &World, decide: impl FnOnce(&Project) -> Result<Vec<ProjectEvent>, ProjectError>) {
    let projects = Repository::<Project>::new(world.store.clone());
    let events = decide(&world.ask(projects.load(project())).unwrap().state).unwrap();
    let id = Uuid::from_u128(1);
    let context = EventContext {
        actor: "user:ada".to_owned(),
        project: Some(project()),
        correlation_id: id,
        causation_id: id,
        source: None,
        traceparent: None,
    };
    let writes = vec![Repository::<Project>::write(project(), Precondition::Any, &events).unwrap()];
    let request = AppendRequest { writes, claims: vec![], idempotency: None, context };
    world.ask(world.store.append(request)).unwrap();
}

/// A project with an agent whose run makes two calls, one after the other.
fn given(world: &World, first: &str) -> RunId {
    let owner = UserId::from(Uuid::from_u128(1));
    happens(world, |fresh| fresh.create(&ProjectName::parse("Apollo").unwrap(), owner, false));
    let (first, second) = (tool("idempotent", first), tool("idempotent", "echo"));
    let text = format!(
        r#"{{"limits":{{"wall_clock_s":3600}},"tools":{{"one":{first},"two":{second}}},"steps":[
        {{"id":"a","tool":"one","arguments":1}},{{"id":"b","needs":["a"],"tool":"two","arguments":2}}],
        "output":{{"$jq":".steps.b.output"}}}}"#
    );
    world.start(&text, "null")
}

/// A log of which what comes before a position cannot be read in pages.
struct Damaged {
    log: Arc<dyn EventStore>,
    before: AtomicU64,
}

impl devskyy_application::es::Rewindable for Damaged {}

#[async_trait]
impl EventStore for Damaged {
    async fn append(&self, request: AppendRequest) -> Result<Appended, AppendError> {
        self.log.append(request).await
    }

    async fn read_all(&self, after: Position, max: usize, filter: &EventFilter) -> Result<Page, PortError> {
        if after < self.before.load(Ordering::Relaxed) {
            return Err(PortError::bug("event store", "reading an event", "a stored instant is out of range"));
        }
        self.log.read_all(after, max, filter).await
    }

    reads_through!(log: read_stream, head, beyond);
}

/// A project that is suspended as soon as a call was made.
fn suspended_amid_a_call(world: &World) -> RunId {
    suspended_before(world, &world.worker(), || {})
}

/// The same, with something that happens then as well.
fn suspended_before(world: &World, worker: &RunWorker, then: impl Fn()) -> RunId {
    let run = given(world, "echo");
    let mut work = std::pin::pin!(worker.work(std::future::pending()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for _ in 0..WHILE {
        assert!(work.as_mut().poll(&mut context).is_pending());
        if world.tools.made().len() == 1 {
            happens(world, Project::suspend);
            then();
            break;
        }
    }
    for _ in 0..WHILE {
        assert!(work.as_mut().poll(&mut context).is_pending());
    }
    run
}

#[test]
fn a_run_of_a_suspended_project_is_not_begun() {
    let world = World::new();
    let run = given(&world, "echo");
    happens(&world, Project::suspend);
    world.work_for(WHILE, |world| world.status(run) != RunStatus::Queued);
    assert_eq!(world.status(run), RunStatus::Queued);
}

#[test]
fn a_run_goes_no_further_where_it_cannot_be_read_that_its_project_is_suspended() {
    let (world, damaged) = (World::new(), Mutex::new(None));
    let worker = world.worker_with(|ports| {
        let store = Arc::new(Damaged { log: ports.store.clone(), before: AtomicU64::new(0) });
        *damaged.lock().unwrap() = Some(store.clone());
        WorkerPorts { store, ..ports }
    });
    let damaged = damaged.into_inner().unwrap().unwrap();
    suspended_before(&world, &worker, || {
        damaged.before.store(world.ask(world.store.head()).unwrap(), Ordering::Relaxed);
    });
    assert_eq!(world.tools.made().len(), 1);
}

#[test]
fn a_run_goes_no_further_than_the_call_during_which_its_project_is_suspended() {
    let world = World::new();
    suspended_amid_a_call(&world);
    assert_eq!(world.tools.made().len(), 1);
}

#[test]
fn a_run_goes_on_where_it_was_when_its_project_is_resumed() {
    let world = World::new();
    let run = suspended_amid_a_call(&world);
    happens(&world, Project::resume);
    assert_eq!((world.work_to_end(run).output, world.tools.made().len()), (Some(json("2")), 2));
}

#[test]
fn a_worker_that_rests_is_woken_by_the_resumption() {
    let world = World::new();
    let run = given(&world, "echo");
    happens(&world, Project::suspend);
    let worker = world.worker();
    let mut work = std::pin::pin!(worker.work(std::future::pending()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for turn in 0..2 * WHILE {
        assert!(work.as_mut().poll(&mut context).is_pending());
        if turn == WHILE {
            happens(&world, Project::resume);
        }
    }
    assert_eq!(world.status(run), RunStatus::Completed, "time stands still");
}

#[test]
fn a_run_of_a_suspended_project_ends_at_its_deadline() {
    let world = World::new();
    let run = given(&world, "echo");
    happens(&world, Project::suspend);
    world.clock.advance(Duration::from_secs(3_601));
    assert_eq!(world.work_to_end(run).summary.status, RunStatus::Expired);
}

#[test]
fn a_run_of_a_suspended_project_is_cancelled_when_it_is_asked_to() {
    let world = World::new();
    let run = suspended_amid_a_call(&world);
    world.cancel(run).unwrap();
    assert_eq!(world.work_to_end(run).summary.status, RunStatus::Cancelled);
}

#[test]
fn a_run_that_nobody_has_begun_is_cancelled_when_its_project_is_archived() {
    let world = World::new();
    let run = given(&world, "echo");
    happens(&world, Project::archive);
    world.react();
    assert_eq!(world.status(run), RunStatus::Cancelled);
}

#[test]
fn a_run_under_way_is_cancelled_when_its_project_is_archived() {
    let world = World::new();
    let run = given(&world, "hangs");
    world.work_for(WHILE, |world| world.tools.made().len() == 1);
    happens(&world, Project::archive);
    assert_eq!(world.work_to_end(run).summary.status, RunStatus::Cancelled);
}

#[test]
fn every_run_of_a_project_that_is_archived_is_cancelled() {
    let world = World::new();
    given(&world, "echo");
    let agent = devskyy_domain::kernel::ids::AgentId::from(Uuid::from_u128(1));
    let runs: Vec<_> = (0..250).map(|_| world.try_start(agent, "null").unwrap()).collect();
    happens(&world, Project::archive);
    world.react();
    let cancelled = runs.iter().filter(|run| world.status(**run) == RunStatus::Cancelled).count();
    assert_eq!(cancelled, runs.len());
}
