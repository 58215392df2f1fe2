//! Results that are too large for events.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use devskyy_application::{
    error::Error,
    es::Moment,
    ports::Clock as _,
    runs::{ForkRun, GetResult, GetRun, ReconcileRun, ResultStore as _, RunStatus, RunView, result_hash},
};
use devskyy_domain::{
    conversation::Message,
    kernel::{Json, ids::RunId},
    runs::{MAX_INLINE, ResultHash, RunEvent, Verdict},
};
use devskyy_testkit::fakes::{ScriptedModels, Turn};

use super::{
    workflows::tool,
    world::{World, json},
};

/// The large tool's result for its arguments.
fn large(of: &str) -> String {
    format!(r#"{{"of":{of},"text":"{}"}}"#, "x".repeat(100 * 1024))
}

fn hash(of: &str) -> ResultHash {
    result_hash(large(of).as_bytes())
}

/// One step with a large result, another that uses a part of it.
fn two_steps(effect: &str) -> String {
    format!(
        r#"{{"tools":{{"large":{}}},"steps":[
        {{"id":"a","tool":"large","arguments":{{"$jq":".input"}}}},
        {{"id":"b","needs":["a"],"tool":"jq","arguments":{{"$jq":".steps.a.output.of"}}}}],
        "output":{{"$jq":".steps.b.output"}}}}"#,
        tool(effect, "large")
    )
}

/// The large result is also the output of the run.
fn returning() -> String {
    format!(
        r#"{{"tools":{{"large":{}}},"steps":[{{"id":"a","tool":"large","arguments":{{"$jq":".input"}}}}],
        "output":{{"$jq":".steps.a.output"}}}}"#,
        tool("read_only", "large")
    )
}

fn result(world: &World, run: RunId, hash: ResultHash) -> Result<String, Error> {
    let asked = world.ask(world.runs.result.handle(&World::actor(), GetResult { run, hash }));
    asked.map(|text| String::from_utf8(text).unwrap())
}

/// Every hash an event refers to, of any run.
fn referred(world: &World) -> BTreeSet<ResultHash> {
    let recorded = world.recorded();
    let events = recorded.iter().filter(|event| event.category == "run");
    events
        .flat_map(|event| event.decode::<RunEvent>().unwrap().stored().map(|it| it.hash).collect::<Vec<_>>())
        .collect()
}

fn failure(view: &RunView) -> (String, Option<String>) {
    let error = view.summary.error.clone().expect("the run failed");
    (error.code, error.place.map(|place| place.step))
}

#[test]
fn no_event_carries_a_large_result() {
    let world = World::new();
    let run = world.start(&returning(), "1");
    world.work_to_end(run);
    let largest = world.recorded().iter().map(|event| event.data.len()).max().unwrap();
    assert!(largest < 2_000, "{largest} bytes");
}

#[test]
fn a_result_and_what_the_run_makes_of_it_are_kept_once() {
    let world = World::new();
    let run = world.start(&returning(), "1");
    world.work_to_end(run);
    assert_eq!(world.results.texts(), [large("1").into_bytes()]);
}

#[test]
fn a_result_that_fits_an_event_is_not_kept_beside_it() {
    let world = World::new();
    let text = r#"{"steps":[{"id":"a","tool":"jq","arguments":{"$jq":".input"}}],"output":{"$jq":".steps.a.output"}}"#;
    let input = format!(r#""{}""#, "x".repeat(MAX_INLINE - 2));
    let run = world.start(text, &input);
    assert_eq!((world.work_to_end(run).output, world.results.texts().len()), (Some(json(&input)), 0));
}

#[test]
fn a_later_step_sees_a_large_result() {
    let world = World::new();
    let run = world.start(&two_steps("unsafe"), "7");
    assert_eq!(world.work_to_end(run).output, Some(json("7")));
}

#[test]
fn a_run_tells_where_what_it_returned_is_kept() {
    let world = World::new();
    let run = world.start(&returning(), "1");
    let view = world.work_to_end(run);
    let stored = view.output_stored.as_ref().map(|stored| (stored.hash, stored.bytes));
    assert_eq!((view.output, stored), (None, Some((hash("1"), large("1").len() as u64))));
}

#[test]
fn a_run_as_it_was_tells_where_a_result_is_kept() {
    let world = World::new();
    let run = world.start(&two_steps("unsafe"), "7");
    let last = world.work_to_end(run).summary.version;
    let query = GetRun { run, moment: Some(Moment::Version(last - 1)), steps: true };
    let view = world.ask(world.runs.get.handle(&World::actor(), query)).unwrap();
    let stored = view.steps[0].execution.output_stored.as_ref().map(|stored| stored.hash);
    assert_eq!((stored, view.steps[0].output.clone()), (Some(hash("7")), None));
}

#[test]
fn an_element_tells_where_its_result_is_kept() {
    let world = World::new();
    let text = format!(
        r#"{{"tools":{{"large":{}}},"steps":[{{"id":"a","for_each":".input","tool":"large","arguments":{{"$jq":".item"}}}}]}}"#,
        tool("read_only", "large")
    );
    let run = world.start(&text, "[1,2]");
    let elements = world.work_to_end(run).steps.remove(0).elements.unwrap();
    let stored: Vec<_> = elements.iter().map(|element| element.output_stored.as_ref().map(|it| it.hash)).collect();
    assert_eq!(stored, [Some(hash("1")), Some(hash("2"))]);
}

#[test]
fn a_parent_sees_what_its_child_returned() {
    let world = World::new();
    let child = world.agent(2, &returning());
    let text = format!(
        r#"{{"steps":[{{"id":"a","agent":"{child}","input":3}},
        {{"id":"b","needs":["a"],"tool":"jq","arguments":{{"$jq":".steps.a.output.of"}}}}],
        "output":{{"$jq":".steps.b.output"}}}}"#
    );
    let run = world.start(&text, "null");
    assert_eq!(world.work_to_end(run).output, Some(json("3")));
}

#[test]
fn a_fork_sees_a_result_it_takes_over() {
    let world = World::new();
    let run = world.start(&two_steps("unsafe"), "7");
    world.work_to_end(run);
    let (step, input) = ("b".to_owned(), None);
    let command = ForkRun {
        run,
        step,
        agent_version: None,
        input,
        priority: None,
        deadline: None,
        wait: None,
        idempotency: None,
    };
    let fork = world.ask(world.runs.fork.handle(&World::actor(), command)).unwrap().run.summary.id;
    let view = world.work_to_end(fork);
    assert_eq!((view.output, result(&world, fork, hash("7")).unwrap()), (Some(json("7")), large("7")));
}

#[test]
fn what_a_person_says_came_of_a_call_is_kept_as_well() {
    let world = World::new();
    let text = format!(
        r#"{{"tools":{{"lost":{}}},"steps":[{{"id":"a","tool":"lost"}}],"output":{{"$jq":".steps.a.output.of"}}}}"#,
        tool("unsafe", "lost")
    );
    let run = world.start(&text, "null");
    world.work_until_waiting(run);
    let operation = world.doubtful(run).unwrap();
    let verdict = Verdict::Succeeded { result: json(&large("5")).into() };
    let command = ReconcileRun { run, operation, verdict, expected: None };
    world.ask(world.runs.reconcile.handle(&World::actor(), command)).unwrap();
    let view = world.work_to_end(run);
    assert_eq!((view.output, referred(&world)), (Some(json("5")), BTreeSet::from([hash("5")])));
}

#[test]
fn a_result_is_shown_as_it_was_kept() {
    let world = World::new();
    let run = world.start(&two_steps("unsafe"), "7");
    world.work_to_end(run);
    assert_eq!(result(&world, run, hash("7")).unwrap(), large("7"));
}

#[test]
fn a_result_of_another_run_is_absent() {
    let world = World::new();
    let (one, other) = (world.start(&two_steps("unsafe"), "7"), world.start(&two_steps("unsafe"), "8"));
    world.work_to_end(one);
    world.work_to_end(other);
    let asked = result(&world, one, hash("8"));
    assert!(matches!(asked, Err(Error::NotFound(_))), "{asked:?}");
}

#[test]
fn a_damaged_result_is_not_shown() {
    let world = World::new();
    let run = world.start(&two_steps("unsafe"), "7");
    world.work_to_end(run);
    world.results.damage();
    let asked = result(&world, run, hash("7"));
    assert!(matches!(asked, Err(Error::Port(_))), "{asked:?}");
}

#[test]
fn a_step_that_needs_a_damaged_result_fails() {
    let world = World::new();
    let run = world.start(&two_steps("unsafe"), "7");
    world.work_until(|world| !referred(world).is_empty());
    world.results.damage();
    assert_eq!(failure(&world.work_to_end(run)), ("run.result_lost".to_owned(), Some("b".to_owned())));
}

#[test]
fn a_result_that_is_larger_than_a_run_takes_is_not_kept() {
    let world = World::new();
    let text = format!(r#"{{"tools":{{"t":{}}},"steps":[{{"id":"a","tool":"t"}}]}}"#, tool("read_only", "huge"));
    let run = world.start(&text, "null");
    let view = world.work_to_end(run);
    assert_eq!((failure(&view).0.as_str(), world.results.texts().len()), ("run.value_too_large", 0));
}

#[test]
fn a_model_sees_the_beginning_of_a_large_result_and_under_what_it_is_kept() {
    let reads = |messages: &[Message]| {
        messages.iter().find_map(|message| match message {
            Message::Tool { text, .. } => Some(text.clone()),
            _ => None,
        })
    };
    let world = World::with(ScriptedModels::playing(move |request, _| match reads(&request.messages) {
        None => Turn::calls([("call", "large", json("1"))]),
        Some(text) => {
            let (beginning, note) = text.split_at(MAX_INLINE);
            Turn::says(format!("{} {note}", large("1").starts_with(beginning)))
        }
    }));
    let text = r#"{"model":"scripted/one","instructions":"be brief","tools":{"large":{"kind":"http","effect":"read_only",
        "description":"large","input_schema":{},"request":{"method":"POST","url":"large"}}}}"#;
    let run = world.start(text, "null");
    let (shown, all) = (MAX_INLINE, large("1").len());
    let note = format!(
        "\n[cut: these are the first {shown} of {all} bytes]\n[the whole result is kept with the run as sha256:{}]",
        hash("1")
    );
    assert_eq!(world.work_to_end(run).output, Some(Json::from(format!("true {note}"))));
}

/// A run all of whose results are large, with a child.
fn everything(world: &World) -> String {
    let child = world.agent(2, &returning());
    format!(
        r#"{{"tools":{{"once":{},"again":{}}},"steps":[
        {{"id":"each","for_each":".input","tool":"again","arguments":{{"$jq":".item"}}}},
        {{"id":"child","agent":"{child}","input":3}},
        {{"id":"once","needs":["each","child"],"tool":"once","arguments":{{"$jq":".steps.child.output.of"}}}}],
        "output":{{"$jq":".steps.once.output"}}}}"#,
        tool("unsafe", "large"),
        tool("idempotent", "large"),
    )
}

/// Settles what is in doubt as if it had arrived, which is true if the worker vanished after the call.
fn settle(world: &World, run: RunId) {
    let Some(operation) = world.doubtful(run) else { return };
    let arrived = world.tools.per_operation().contains_key(&operation);
    let verdict = if arrived { Verdict::Succeeded { result: json(&large("3")).into() } } else { Verdict::Retry };
    world
        .ask(world.runs.reconcile.handle(&World::actor(), ReconcileRun { run, operation, verdict, expected: None }))
        .unwrap();
}

#[test]
fn wherever_a_worker_vanishes_every_reference_leads_to_its_result() {
    for crash in 0.. {
        let world = World::new();
        let run = world.start(&everything(&world), "[1,2]");
        let ended = |world: &World| {
            settle(world, run);
            world.status(run).ended()
        };
        let undisturbed = world.work_for(crash, ended);
        let kept: BTreeSet<_> = world.results.texts().iter().map(|text| result_hash(text)).collect();
        let referred = referred(&world);
        assert!(referred.is_subset(&kept), "after {crash} polls {referred:?} are referred to and {kept:?} are kept");
        world.work_until(ended);
        let view = world.view(run);
        let output = view.output_stored.map(|stored| stored.hash);
        assert_eq!((view.summary.status, output), (RunStatus::Completed, Some(hash("3"))), "after {crash} polls");
        if undisturbed {
            assert!(crash > 25, "the run is interrupted in many places, not {crash}");
            return;
        }
    }
}

#[test]
fn what_a_vanished_worker_left_is_swept_and_nothing_else() {
    let world = World::new();
    let run = world.start(&two_steps("unsafe"), "7");
    // The worker vanishes when the result is stored but nothing refers to it; then it is settled with another one.
    assert!(world.work_for(200, |world| !world.results.texts().is_empty()));
    assert!(referred(&world).is_empty());
    world.clock.advance(std::time::Duration::from_secs(16));
    world.work_until_waiting(run);
    let verdict = Verdict::Succeeded { result: json(&large("8")).into() };
    let operation = world.doubtful(run).unwrap();
    world
        .ask(world.runs.reconcile.handle(&World::actor(), ReconcileRun { run, operation, verdict, expected: None }))
        .unwrap();
    world.work_to_end(run);
    let swept = world.ask(world.results.sweep(world.clock.now() + TimeDelta::days(1))).unwrap();
    assert_eq!((swept, world.results.texts()), (1, vec![large("8").into_bytes()]));
}
