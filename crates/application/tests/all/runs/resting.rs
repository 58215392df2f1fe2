//! What becomes of runs when their project is suspended, resumed or archived.

use std::time::Duration;

use devskyy_application::{
    es::{AppendRequest, EventContext, EventStore, Precondition, Repository},
    runs::RunStatus,
};
use devskyy_domain::{
    kernel::ids::{ProjectId, RunId, UserId},
    projects::{Project, ProjectError, ProjectEvent, ProjectName},
};
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

/// A project that is suspended as soon as a call was made.
fn suspended_amid_a_call(world: &World) -> RunId {
    let run = given(world, "echo");
    let worker = world.worker();
    let mut work = std::pin::pin!(worker.work(std::future::pending()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for _ in 0..WHILE {
        assert!(work.as_mut().poll(&mut context).is_pending());
        if world.tools.made().len() == 1 {
            happens(world, Project::suspend);
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
