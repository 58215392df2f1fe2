//! What workflows do, feature by feature.

use devskyy_application::{
    ports::Clock,
    runs::{RunStatus, StepStatus},
};
use devskyy_domain::runs::Choice;

use super::world::{World, json};

/// An `http` tool that behaves as its address indicates.
pub(crate) fn tool(effect: &str, url: &str) -> String {
    format!(r#"{{"kind":"http","effect":"{effect}","request":{{"method":"POST","url":"{url}"}}}}"#)
}

fn failure(world: &World, run: devskyy_domain::kernel::ids::RunId) -> (String, Option<String>) {
    let error = world.work_to_end(run).summary.error.expect("the run failed");
    (error.code, error.place.map(|place| place.step))
}

#[test]
fn a_step_sees_the_input_and_the_steps_it_needs() {
    let world = World::new();
    let text = r#"{"steps":[
        {"id":"a","tool":"jq","arguments":{"x":{"$jq":".input.name"}}},
        {"id":"b","needs":["a"],"tool":"jq","arguments":{"y":{"$jq":".steps.a.output.x"},"t":{"$template":"hi {{input.name}}"}}}],
        "output":{"$jq":".steps.b.output"}}"#;
    let run = world.start(text, r#"{"name":"Ada"}"#);
    assert_eq!(world.work_to_end(run).output, Some(json(r#"{"t":"hi Ada","y":"Ada"}"#)));
}

#[test]
fn a_step_does_not_see_what_it_does_not_need() {
    let world = World::new();
    let text = r#"{"steps":[
        {"id":"a","tool":"jq","arguments":1},
        {"id":"b","needs":["a"],"tool":"jq","arguments":2},
        {"id":"c","tool":"jq","arguments":{"$jq":".steps"}}],
        "output":{"$jq":".steps.c.output"}}"#;
    let run = world.start(text, "null");
    assert_eq!(world.work_to_end(run).output, Some(json("{}")));
}

#[test]
fn a_step_whose_condition_does_not_hold_is_skipped_and_the_next_goes_on() {
    let world = World::new();
    let text = r#"{"steps":[
        {"id":"a","when":".input.go","tool":"jq","arguments":1},
        {"id":"b","needs":["a"],"tool":"jq","arguments":{"$jq":".steps.a"}}],
        "output":{"$jq":".steps.b.output"}}"#;
    let run = world.start(text, r#"{"go":false}"#);
    let view = world.work_to_end(run);
    assert_eq!(view.output, Some(json(r#"{"output":null,"status":"skipped"}"#)));
    assert_eq!(view.steps[0].execution.status, StepStatus::Skipped);
}

#[test]
fn an_element_costs_as_many_bytes_at_the_end_of_a_long_run_as_at_its_beginning() {
    let world = World::new();
    let text = r#"{"limits":{"max_steps":2000},"steps":[{"id":"a","for_each":".input","tool":"jq","arguments":{"$jq":".item"}}]}"#;
    let items: Vec<_> = (0..1_000).map(|_| "7").collect();
    world.start(text, &format!("[{}]", items.join(",")));
    world.work_until(World::has_completed);
    let mut sizes = [0_usize; 1_000];
    for event in world.recorded() {
        let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
        if let Some(index) = data["place"]["index"].as_u64() {
            sizes[usize::try_from(index).unwrap()] += event.data.len();
        }
    }
    // The index of an element has one to three digits.
    assert!(sizes[999].abs_diff(sizes[10]) <= 2, "{} bytes at element 10, {} at 1,000", sizes[10], sizes[999]);
}

#[test]
fn for_each_runs_once_per_element_in_order() {
    let world = World::new();
    let text = r#"{"steps":[{"id":"a","for_each":".input","tool":"jq","arguments":[{"$jq":".index"},{"$jq":".item"}]}],
        "output":{"$jq":".steps.a.output"}}"#;
    let run = world.start(text, r#"["x","y","z"]"#);
    let view = world.work_to_end(run);
    assert_eq!(view.output, Some(json(r#"[[0,"x"],[1,"y"],[2,"z"]]"#)));
    assert_eq!(view.steps[0].elements.as_ref().map(Vec::len), Some(3));
}

#[test]
fn for_each_over_nothing_gives_nothing() {
    let world = World::new();
    let text = r#"{"steps":[{"id":"a","for_each":".input","tool":"jq"}],"output":{"$jq":".steps.a.output"}}"#;
    let run = world.start(text, "[]");
    assert_eq!(world.work_to_end(run).output, Some(json("[]")));
}

#[test]
fn for_each_over_something_else_fails_the_run() {
    let world = World::new();
    let run = world.start(r#"{"steps":[{"id":"a","for_each":".input","tool":"jq"}]}"#, r#"{"not":"a list"}"#);
    assert_eq!(failure(&world, run), ("run.for_each_array".into(), Some("a".into())));
}

#[test]
fn a_failing_expression_fails_the_run_at_its_step() {
    let world = World::new();
    let run = world.start(r#"{"steps":[{"id":"a","when":"error","tool":"jq"}]}"#, "null");
    assert_eq!(failure(&world, run), ("run.expression".into(), Some("a".into())));
}

#[test]
fn an_output_that_breaks_its_schema_fails_the_run() {
    let world = World::new();
    let text = r#"{"output_schema":{"required":["x"]},"steps":[{"id":"a","tool":"jq"}],"output":{"y":1}}"#;
    let run = world.start(text, "null");
    assert_eq!(failure(&world, run), ("run.output_schema".into(), None));
}

#[test]
fn an_http_call_is_recorded_before_it_is_made() {
    let world = World::new();
    let text = format!(r#"{{"tools":{{"t":{}}},"steps":[{{"id":"a","tool":"t"}}]}}"#, tool("unsafe", "hangs"));
    let run = world.start(&text, "null");
    world.work_until(|world| !world.tools.made().is_empty());
    assert_eq!(world.view(run).steps[0].execution.status, StepStatus::Running);
}

#[test]
fn a_transient_failure_is_tried_again_under_the_same_operation() {
    let world = World::new();
    let text = format!(
        r#"{{"tools":{{"t":{}}},"steps":[{{"id":"a","tool":"t","arguments":5}}],"output":{{"$jq":".steps.a.output"}}}}"#,
        tool("unsafe", "flaky")
    );
    let run = world.start(&text, "null");
    let view = world.work_to_end(run);
    assert_eq!((view.output, view.usage.retries), (Some(json("5")), 2));
    assert_eq!(world.tools.per_operation().into_values().collect::<Vec<_>>(), [3]);
}

#[test]
fn a_call_that_keeps_failing_fails_the_run_after_its_attempts() {
    let world = World::new();
    let text = format!(
        r#"{{"tools":{{"t":{}}},"steps":[{{"id":"a","tool":"t"}}],"retry":{{"max_attempts":3}}}}"#,
        tool("idempotent", "down")
    );
    let run = world.start(&text, "null");
    assert_eq!(failure(&world, run), ("tool.scripted".into(), Some("a".into())));
    assert_eq!(world.tools.made().len(), 3);
}

#[test]
fn a_permanent_failure_is_not_tried_again() {
    let world = World::new();
    let text = format!(r#"{{"tools":{{"t":{}}},"steps":[{{"id":"a","tool":"t"}}]}}"#, tool("read_only", "broken"));
    let run = world.start(&text, "null");
    assert_eq!(failure(&world, run).0, "tool.scripted");
    assert_eq!(world.tools.made().len(), 1);
}

#[test]
fn a_result_that_is_too_large_fails_the_run() {
    let world = World::new();
    let text = format!(r#"{{"tools":{{"t":{}}},"steps":[{{"id":"a","tool":"t"}}]}}"#, tool("read_only", "huge"));
    let run = world.start(&text, "null");
    assert_eq!(failure(&world, run), ("run.value_too_large".into(), Some("a".into())));
}

#[test]
fn arguments_that_break_the_tools_schema_are_not_sent() {
    let world = World::new();
    let text = r#"{"tools":{"t":{"kind":"http","effect":"unsafe","input_schema":{"required":["x"]},
        "request":{"method":"POST","url":"echo"}}},"steps":[{"id":"a","tool":"t","arguments":{}}]}"#;
    let run = world.start(text, "null");
    assert_eq!(failure(&world, run).0, "run.arguments_schema");
    assert_eq!(world.tools.made().len(), 0);
}

const ASKS: &str = r#"{"steps":[
    {"id":"ask","approval":{"prompt":"ship {{input.what}}?","data":{"$jq":".input"}}},
    {"id":"after","needs":["ask"],"tool":"jq","arguments":{"$jq":".steps.ask.output.decision"}}],
    "output":{"$jq":".steps.after.output"}}"#;

#[test]
fn an_approved_run_goes_on() {
    let world = World::new();
    let run = world.start(ASKS, r#"{"what":"it"}"#);
    world.work_until_waiting(run);
    let asked = world.view(run).steps[0].execution.approval.clone().unwrap();
    assert_eq!((asked.prompt.as_str(), asked.data), ("ship it?", json(r#"{"what":"it"}"#)));
    world.decide(run, Choice::Approve).unwrap();
    assert_eq!(world.work_to_end(run).output, Some(json(r#""approve""#)));
}

#[test]
fn a_denied_run_fails() {
    let world = World::new();
    let run = world.start(ASKS, r#"{"what":"it"}"#);
    world.work_until_waiting(run);
    world.decide(run, Choice::Deny).unwrap();
    assert_eq!(failure(&world, run), ("run.approval_denied".into(), Some("ask".into())));
}

#[test]
fn a_denied_run_goes_on_where_the_step_says_so() {
    let world = World::new();
    let text = ASKS.replace(r#""prompt""#, r#""on_deny":"continue","prompt""#);
    let run = world.start(&text, r#"{"what":"it"}"#);
    world.work_until_waiting(run);
    world.decide(run, Choice::Deny).unwrap();
    assert_eq!(world.work_to_end(run).output, Some(json(r#""deny""#)));
}

/// A workflow whose questions expire after a minute.
fn expiring(text: &str) -> String {
    text.replacen('{', r#"{"approval_expires_s":60,"#, 1)
}

#[test]
fn a_run_whose_question_nobody_answers_fails() {
    let world = World::new();
    let run = world.start(&expiring(ASKS), r#"{"what":"it"}"#);
    assert_eq!(failure(&world, run).0, "run.approval_expired");
}

#[test]
fn a_question_expires_when_it_says() {
    let world = World::new();
    let run = world.start(&expiring(ASKS), r#"{"what":"it"}"#);
    let asked = world.clock.now();
    world.work_until_waiting(run);
    world.work_to_end(run);
    let took = (world.clock.now() - asked).num_seconds();
    assert!((60..70).contains(&took), "{took}");
}

#[test]
fn a_run_whose_question_nobody_answers_goes_on_where_the_step_says_so() {
    let world = World::new();
    let text = ASKS.replace(r#""prompt""#, r#""on_deny":"continue","prompt""#);
    let run = world.start(&expiring(&text), r#"{"what":"it"}"#);
    assert_eq!(world.work_to_end(run).output, Some(json(r#""deny""#)));
}

#[test]
fn a_call_nobody_approves_in_time_is_not_made() {
    let world = World::new();
    let text = r#"{"tools":{"t":{"kind":"http","effect":"unsafe","approval":"always","request":{"method":"POST","url":"file"}}},
        "steps":[{"id":"a","tool":"t","arguments":5}]}"#;
    let run = world.start(&expiring(text), "null");
    assert_eq!((failure(&world, run).0, world.tools.made()), ("run.approval_expired".to_owned(), vec![]));
}

#[test]
fn people_are_asked_once_per_element() {
    let world = World::new();
    let text = r#"{"steps":[{"id":"ask","for_each":".input","approval":{"prompt":"{{item}}?"}}],
        "output":{"$jq":".steps.ask.output"}}"#;
    let run = world.start(text, r#"["a","b"]"#);
    world.work_until_waiting(run);
    world.decide(run, Choice::Approve).unwrap();
    world.work_until_waiting(run);
    world.decide(run, Choice::Approve).unwrap();
    assert_eq!(world.work_to_end(run).summary.status, RunStatus::Completed);
}

#[test]
fn an_agent_can_be_a_step_of_another() {
    let world = World::new();
    let inner = r#"{"input_schema":{"required":["n"]},"steps":[{"id":"x","tool":"jq","arguments":{"$jq":".input.n"}}],
        "output":{"got":{"$jq":".steps.x.output"}}}"#;
    let child = world.agent(2, inner);
    let text = format!(
        r#"{{"steps":[{{"id":"call","agent":"{child}","input":{{"n":{{"$jq":".input"}}}}}}],
        "output":{{"$jq":".steps.call.output"}}}}"#
    );
    let run = world.start(&text, "41");
    let view = world.work_to_end(run);
    assert_eq!(view.output, Some(json(r#"{"got":41}"#)));
    let child_run = view.steps[0].execution.child_run_id.unwrap();
    assert_eq!(world.view(child_run).summary.parent_run_id, Some(run));
}

#[test]
fn a_failing_child_fails_the_step_that_waits_for_it() {
    let world = World::new();
    let child = world.agent(2, r#"{"steps":[{"id":"x","when":"error","tool":"jq"}]}"#);
    let run = world.start(&format!(r#"{{"steps":[{{"id":"call","agent":"{child}"}}]}}"#), "null");
    assert_eq!(failure(&world, run), ("run.child_failed".into(), Some("call".into())));
}

#[test]
fn an_agent_of_another_project_cannot_be_a_step() {
    let world = World::new();
    let stranger = devskyy_domain::kernel::ids::AgentId::from(uuid::Uuid::from_u128(9));
    let elsewhere = devskyy_domain::kernel::ids::ProjectId::from(uuid::Uuid::from_u128(99));
    world.agents.declare(stranger, elsewhere, super::world::definition(r#"{"steps":[{"id":"x","tool":"jq"}]}"#));
    let run = world.start(&format!(r#"{{"steps":[{{"id":"call","agent":"{stranger}"}}]}}"#), "null");
    assert_eq!(failure(&world, run).0, "run.child_unavailable");
}

#[test]
fn independent_steps_run_at_the_same_time() {
    let world = World::new();
    let text = format!(
        r#"{{"tools":{{"t":{}}},"steps":[{{"id":"a","tool":"t"}},{{"id":"b","tool":"t"}},{{"id":"c","tool":"t"}}],
        "limits":{{"concurrency":2}}}}"#,
        tool("read_only", "hangs")
    );
    world.start(&text, "null");
    assert!(!world.work_for(300, |world| world.tools.made().len() > 2), "never more than the workflow allows");
    assert_eq!(world.tools.made().len(), 2);
}

#[test]
fn the_step_limit_ends_a_run() {
    let world = World::new();
    let text = r#"{"steps":[{"id":"a","for_each":".input","tool":"jq"}],"limits":{"max_steps":2}}"#;
    let run = world.start(text, "[1,2,3]");
    assert_eq!(failure(&world, run).0, "run.step_limit");
}

#[test]
fn the_deadline_ends_a_run_that_waits() {
    let world = World::new();
    let text = ASKS.replace(r#"{"steps""#, r#"{"limits":{"wall_clock_s":60},"steps""#);
    let run = world.start(&text, r#"{"what":"it"}"#);
    assert_eq!(world.work_to_end(run).summary.status, RunStatus::Expired);
}

#[test]
fn the_deadline_ends_a_run_whose_call_hangs() {
    let world = World::new();
    let text = format!(
        r#"{{"tools":{{"t":{}}},"steps":[{{"id":"a","tool":"t"}}],"limits":{{"wall_clock_s":60}}}}"#,
        tool("unsafe", "hangs")
    );
    let run = world.start(&text, "null");
    assert_eq!(world.work_to_end(run).summary.status, RunStatus::Expired);
}
