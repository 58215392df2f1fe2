//! What happens to runs when their project is suspended, resumed or archived.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::DateTime;
use devskyy_application::{
    access::ListScope,
    error::PortError,
    es::{
        AppendError, AppendRequest, Appended, EventContext, EventFilter, EventStore, Page, Position, Precondition,
        Reaction as _, Repository,
    },
    paging::{PageOf, Part},
    runs::{
        ApprovalFilter, ApprovalView, ArchivedRuns, RunFilter, RunStatus, RunSummary, RunViews, RunWorker, WorkerPorts,
    },
};
use devskyy_domain::{
    kernel::ids::{ApprovalId, ProjectId, RunId, UserId},
    projects::{Project, ProjectError, ProjectEvent, ProjectName},
    runs::{Choice, Decided, Run},
};
use devskyy_testkit::{fakes::InMemoryEventStore, reads_through};
use futures_util::FutureExt as _;
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
    let writes = vec![Repository::<Project>::write(project(), Precondition::Any, &events).unwrap()];
    let request = AppendRequest { writes, claims: vec![], idempotency: None, context: context() };
    world.ask(world.store.append(request)).unwrap();
}

fn context() -> EventContext {
    let id = Uuid::from_u128(1);
    EventContext {
        actor: "user:ada".to_owned(),
        project: Some(project()),
        correlation_id: id,
        causation_id: id,
        source: None,
        traceparent: None,
    }
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

/// A log that cannot be read in pages before a position.
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

/// The same, with another action right after that.
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

/// Views that change a run while they list it: once it was listed as waiting, or not, it waits no longer.
struct Meddled {
    views: Arc<dyn RunViews>,
    answer: Box<dyn Fn() + Send + Sync>,
}

#[async_trait]
impl RunViews for Meddled {
    async fn find(&self, run: RunId) -> Result<Option<RunSummary>, PortError> {
        self.views.find(run).await
    }

    async fn list(&self, scope: ListScope, filter: &RunFilter, part: &Part) -> Result<PageOf<RunSummary>, PortError> {
        let listed = self.views.list(scope, filter, part).await;
        if filter.status.contains(&RunStatus::Running) {
            (self.answer)();
        }
        listed
    }

    async fn approval(&self, approval: ApprovalId) -> Result<Option<ApprovalView>, PortError> {
        self.views.approval(approval).await
    }

    async fn approvals(&self, filter: &ApprovalFilter, part: &Part) -> Result<PageOf<ApprovalView>, PortError> {
        self.views.approvals(filter, part).await
    }
}

/// Records an answer to the one approval of a run, if it is open.
fn answered(store: &Arc<InMemoryEventStore>, run: RunId, approval: ApprovalId) {
    let runs = Repository::<Run>::new(store.clone());
    let decided = Decided { choice: Choice::Approve, edit: None, reason: None, by: "user:ada" };
    let decide = |run: &Run| run.decide_approval(approval, &decided, DateTime::UNIX_EPOCH);
    let _ = runs.update(context(), run, None, decide).now_or_never().expect("memory answers at once");
}

#[test]
fn a_run_that_ceases_to_wait_while_the_runs_of_an_archived_project_are_listed_is_stopped() {
    let world = World::new();
    let owner = UserId::from(Uuid::from_u128(1));
    happens(&world, |fresh| fresh.create(&ProjectName::parse("Apollo").unwrap(), owner, false));
    let run = world.start(r#"{"steps":[{"id":"a","approval":{"prompt":"go?"}}]}"#, "null");
    world.work_until_waiting(run);
    let approval = world.open_approval(run).unwrap();
    happens(&world, Project::archive);
    let archived = world.recorded().pop().unwrap();
    let (views, store) = (world.views.clone(), world.store.clone());
    let meddled = Meddled { views, answer: Box::new(move || answered(&store, run, approval)) };
    let reaction = ArchivedRuns::new(world.store.clone(), Arc::new(meddled), world.clock.clone());
    world.ask(reaction.handle(&archived)).unwrap();
    assert!(matches!(world.status(run), RunStatus::Cancelling | RunStatus::Cancelled), "{:?}", world.status(run));
}

#[test]
fn a_run_that_is_recorded_after_its_project_was_archived_is_stopped() {
    let world = World::new();
    let earlier = given(&world, "echo");
    let queued = world.recorded().into_iter().find(|event| event.stream_id == Uuid::from(earlier)).unwrap();
    happens(&world, Project::archive);
    world.react();
    let late = RunId::from(Uuid::from_u128(77));
    let write = Repository::<Run>::write(late, Precondition::NoStream, &[queued.decode().unwrap()]).unwrap();
    let request = AppendRequest { writes: vec![write], claims: vec![], idempotency: None, context: context() };
    world.ask(world.store.append(request)).unwrap();
    world.react();
    assert_eq!(world.status(late), RunStatus::Cancelled);
}
