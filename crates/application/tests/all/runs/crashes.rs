//! A worker may vanish at any moment: between any two responses of any port. The next one finishes the run correctly.

use std::cell::Cell;

use devskyy_application::runs::{RunStatus, RunView};
use devskyy_domain::{
    kernel::ids::RunId,
    runs::{Choice, Verdict},
};

use super::{
    workflows::tool,
    world::{World, json},
};

/// Every kind of step: pure, per element, conditional, an approval, a child, an idempotent and an unsafe call.
fn everything(world: &World) -> String {
    let child = world.agent(
        2,
        r#"{"steps":[{"id":"x","tool":"jq","arguments":{"$jq":".input"}}],"output":{"$jq":".steps.x.output"}}"#,
    );
    format!(
        r#"{{"tools":{{"once":{},"again":{},"shaky":{}}},
        "steps":[
            {{"id":"pure","tool":"jq","arguments":{{"$jq":".input.items"}}}},
            {{"id":"each","needs":["pure"],"for_each":".steps.pure.output","tool":"again","arguments":{{"$jq":".item"}}}},
            {{"id":"no","when":"false","tool":"once"}},
            {{"id":"ask","needs":["each","no"],"approval":{{"prompt":"go?"}}}},
            {{"id":"child","agent":"{child}","input":{{"$jq":".input.n"}}}},
            {{"id":"shaky","tool":"shaky","arguments":9}},
            {{"id":"file","needs":["ask","child"],"tool":"once","arguments":{{"$jq":".steps.child.output"}}}}],
        "output":{{"each":{{"$jq":".steps.each.output"}},"file":{{"$jq":".steps.file.output"}},"shaky":{{"$jq":".steps.shaky.output"}}}}}}"#,
        tool("unsafe", "file"),
        tool("idempotent", "echo"),
        tool("idempotent", "flaky"),
    )
}

const INPUT: &str = r#"{"items":["a","b"],"n":3}"#;
const OUTPUT: &str = r#"{"each":["a","b"],"file":3,"shaky":9}"#;

/// Plays the people: approves, and settles calls in doubt by what the other side recorded.
fn attend(world: &World, run: RunId) {
    if world.open_approval(run).is_some() {
        world.decide(run, Choice::Approve).unwrap();
    }
    let Some(operation) = world.doubtful(run) else { return };
    let arrived = world.tools.per_operation().contains_key(&operation);
    let verdict = if arrived { Verdict::Succeeded { result: json("3").into() } } else { Verdict::Retry };
    let command = devskyy_application::runs::ReconcileRun { run, operation, verdict, expected: None };
    world.ask(world.runs.reconcile.handle(&World::actor(), command)).unwrap();
}

fn finish(world: &World, run: RunId) -> RunView {
    world.work_until(|world| {
        attend(world, run);
        world.status(run).ended()
    });
    world.view(run)
}

/// Every execution reached the other side under one operation id, the unsafe one once.
fn effects_are_right(world: &World, crash: usize) {
    let made = world.tools.made();
    let operations: std::collections::BTreeSet<_> = made.iter().map(|(_, operation)| operation).collect();
    assert_eq!(operations.len(), 4, "two elements, one shaky and one unsafe call; crash after {crash} polls");
    let filed = made.iter().filter(|(address, _)| address == "file").count();
    assert_eq!(filed, 1, "the unsafe call is made once; crash after {crash} polls");
}

#[test]
fn a_worker_may_vanish_at_any_point() {
    let polls = Cell::new(0);
    for crash in 0.. {
        let world = World::new();
        let run = world.start(&everything(&world), INPUT);
        let ended = world.work_for(crash, |world| {
            attend(world, run);
            world.status(run).ended()
        });
        let view = finish(&world, run);
        assert_eq!(view.summary.status, RunStatus::Completed, "crash after {crash} polls: {:?}", view.summary.error);
        assert_eq!(view.output, Some(json(OUTPUT)), "crash after {crash} polls");
        effects_are_right(&world, crash);
        polls.set(crash);
        if ended {
            break;
        }
    }
    assert!(polls.get() > 50, "the run is interrupted in many places, not {}", polls.get());
}

#[test]
fn a_run_survives_workers_that_all_vanish_soon() {
    for life in [17, 23, 31, 47] {
        let world = World::new();
        let run = world.start(&everything(&world), INPUT);
        let mut lives = 0;
        while !world.work_for(life, |world| {
            attend(world, run);
            world.status(run).ended()
        }) {
            // The next worker starts when the lease of the last one has lapsed.
            world.clock.advance(std::time::Duration::from_secs(16));
            lives += 1;
            assert!(lives < 300, "no progress with lives of {life} polls");
        }
        assert_eq!(world.view(run).output, Some(json(OUTPUT)), "lives of {life} polls");
        effects_are_right(&world, life);
    }
}

#[test]
fn a_worker_that_slept_past_its_lease_changes_nothing() {
    let world = World::new();
    let text =
        format!(r#"{{"tools":{{"t":{}}},"steps":[{{"id":"a","tool":"t"}}],"output":1}}"#, tool("idempotent", "echo"));
    let run = world.start(&text, "null");
    let sleeper = world.worker();
    let mut asleep = std::pin::pin!(sleeper.work(std::future::pending()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    while world.tools.made().is_empty() {
        assert!(asleep.as_mut().poll(&mut context).is_pending());
    }
    world.clock.advance(std::time::Duration::from_secs(60));
    let version = world.work_to_end(run).summary.version;
    for _ in 0..100 {
        assert!(asleep.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(world.view(run).summary.version, version);
}

#[test]
fn an_idle_worker_only_waits() {
    let world = World::new();
    let worker = world.worker();
    let mut work = std::pin::pin!(worker.work(std::future::pending()));
    let counted = CountingWaker::default();
    let waker = std::task::Waker::from(std::sync::Arc::new(counted.clone()));
    let mut context = std::task::Context::from_waker(&waker);
    let mut woken = || {
        (0..5).for_each(|_| assert!(work.as_mut().poll(&mut context).is_pending()));
        counted.0.load(std::sync::atomic::Ordering::Relaxed)
    };
    let settled = woken();
    assert_eq!(woken(), settled, "an idle worker asks nobody anything");
}

#[derive(Clone, Default)]
struct CountingWaker(std::sync::Arc<std::sync::atomic::AtomicUsize>);

impl std::task::Wake for CountingWaker {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}
