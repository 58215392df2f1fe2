//! What assistants do, judged by the requests to a scripted model.

use std::time::Duration;

use devskyy_application::{
    es::{EventFilter, EventStore},
    models::{ModelAnswer, ModelRequest},
    runs::{ApprovalStatus, DecideApproval, ModelUse, ReconcileRun, RunStatus, RunView, StepStatus},
};
use devskyy_domain::{
    conversation::{Finish, Message, TokenCount},
    kernel::ids::RunId,
    runs::{Choice, Verdict, Waiting},
};
use devskyy_testkit::fakes::{ScriptedModels, Turn};

use super::world::{World, json};

/// An assistant whose tools behave as their addresses indicate.
pub(crate) fn assistant(more: &str) -> String {
    let tool = |effect: &str, url: &str, more: &str| {
        format!(
            r#"{{"kind":"http","effect":"{effect}","description":"Does it.","input_schema":{{"type":"object","required":["n"]}},
            "request":{{"method":"POST","url":"{url}"}}{more}}}"#
        )
    };
    format!(
        r#"{{"model":"scripted/one","instructions":"Help {{{{input.name}}}}.","tools":{{"look":{},"pay":{},"ask":{},"huge":{},"lost":{},"no":{}}}{more}}}"#,
        tool("idempotent", "echo", ""),
        tool("unsafe", "file", ""),
        tool("unsafe", "file", r#","approval":{"when":".large"}"#),
        tool("read_only", "big", ""),
        tool("unsafe", "lost", ""),
        tool("read_only", "broken", ""),
    )
}

pub(crate) const INPUT: &str = r#"{"name":"Ada"}"#;

pub(crate) fn calls<'a>(wanted: impl IntoIterator<Item = (&'a str, &'a str)>) -> Turn {
    let named = ["a", "b", "c", "d", "e"];
    Turn::calls(wanted.into_iter().zip(named).map(|((name, arguments), id)| (id, name, json(arguments))))
}

fn world(turns: impl IntoIterator<Item = Turn>) -> World {
    World::with(ScriptedModels::taking(turns))
}

fn run_of(turns: impl IntoIterator<Item = Turn>, more: &str) -> (World, RunId) {
    let world = world(turns);
    let run = world.start(&assistant(more), INPUT);
    (world, run)
}

fn ended(turns: impl IntoIterator<Item = Turn>, more: &str) -> (World, RunView) {
    let (world, run) = run_of(turns, more);
    let view = world.work_to_end(run);
    (world, view)
}

fn failure(view: &RunView) -> &str {
    &view.summary.error.as_ref().expect("the run failed").code
}

/// The model's input about its last calls: text, and whether it is an error.
fn told(request: &ModelRequest) -> Vec<(&str, bool)> {
    let results = request.messages.iter().filter_map(|message| match message {
        Message::Tool { text, failed, .. } => Some((text.as_str(), *failed)),
        _ => None,
    });
    results.collect()
}

#[test]
fn the_last_text_is_the_output() {
    let (world, view) = ended([Turn::says("Hello Ada")], "");
    assert_eq!(view.output, Some("Hello Ada".into()));
    let asked = &world.models.asked()[0];
    let expected = [Message::System { text: "Help Ada.".into() }, Message::User { text: INPUT.into() }];
    assert_eq!((asked.messages.as_slice(), asked.tools.len()), (expected.as_slice(), 6));
}

#[test]
fn the_model_is_told_what_came_of_its_calls_in_their_order() {
    let wanted = calls([("look", r#"{"n":1}"#), ("no", r#"{"n":2}"#), ("look", r#"{"n":3}"#)]);
    let (world, view) = ended([wanted, Turn::says("done")], "");
    let asked = &world.models.asked()[1];
    assert_eq!(told(asked), [(r#"{"n":1}"#, false), ("tool.scripted: broken", true), (r#"{"n":3}"#, false)]);
    assert_eq!(
        view.steps.iter().map(|step| (step.id.as_str(), step.kind)).collect::<Vec<_>>(),
        [("turn_1", "model"), ("turn_1_tools", "tools"), ("turn_2", "model")]
    );
}

#[test]
fn arguments_outside_the_schema_and_unknown_tools_are_refused_to_the_model() {
    let (world, view) = ended([calls([("look", "{}"), ("fly", "{}")]), Turn::says("done")], "");
    let asked = world.models.asked();
    let codes: Vec<_> = told(&asked[1]).into_iter().map(|(text, _)| text.split(':').next().unwrap()).collect();
    assert_eq!(codes, ["run.arguments_schema", "run.tool_unknown"]);
    assert_eq!((world.tools.made().len(), view.summary.status), (0, RunStatus::Completed));
}

#[test]
fn a_large_result_is_cut_for_the_model_and_kept_whole_in_the_run() {
    let n = "x".repeat(200_000);
    let (world, view) = ended([calls([("look", format!(r#"{{"n":"{n}"}}"#).as_str())]), Turn::says("done")], "");
    let shown = told(&world.models.asked()[1])[0].0.len();
    let elements = view.steps[1].elements.as_ref().unwrap();
    let kept = elements[0].output_stored.as_ref().map(|stored| stored.bytes).unwrap_or_default();
    assert!(shown < 66_000 && kept > 200_000, "{shown} shown, {kept} kept");
}

#[test]
fn an_answer_is_repaired_once_and_then_fails_the_run() {
    let schema = r#","output_schema":{"required":["total"]}"#;
    let (world, view) = ended([Turn::says("7"), Turn::says("```json\n{\"total\":7}\n```")], schema);
    assert_eq!(view.output, Some(json(r#"{"total":7}"#)));
    let asked = world.models.asked();
    let Some(Message::User { text }) = asked[1].messages.last() else { panic!("the model is told") };
    assert!(text.contains("is required"), "{text}");
    let (_, view) = ended([Turn::says("7"), Turn::says("8")], schema);
    assert_eq!(failure(&view), "run.output_invalid");
}

#[test]
fn a_model_that_is_away_is_asked_again() {
    let away = Turn::RateLimited(Some(Duration::from_secs(20)));
    let (world, view) = ended([away, Turn::Timeout, Turn::says("done")], "");
    let operations: std::collections::BTreeSet<_> = world.models.asked().iter().map(|it| it.operation).collect();
    assert_eq!((view.usage.model_calls, view.usage.retries, operations.len()), (3, 2, 1));
    assert_eq!(view.steps[0].execution.attempts, 3);
}

#[test]
fn a_model_that_declines_fails_the_run() {
    let (_, view) = ended([Turn::Refused(Some(400))], "");
    assert_eq!(failure(&view), "model.refused");
}

#[test]
fn an_answer_that_was_cut_off_fails_the_run() {
    assert_eq!(failure(&ended([broken_off("and so", Finish::Length)], "").1), "run.answer_truncated");
}

/// Whatever a provider claims.
#[test]
fn a_cost_beyond_all_numbers_is_the_largest_that_is_shown() {
    let usage = TokenCount { input: u64::MAX, ..TokenCount::default() };
    let prices = r#","prices":{"scripted/one":{"input":1000000000000,"output":0}}"#;
    let turns = [calls([("look", r#"{"n":1}"#)]).billed(usage), Turn::says("done").billed(usage)];
    assert_eq!(ended(turns, prices).1.usage.cost_micros, Some(ModelUse::MOST));
}

#[test]
fn what_was_used_is_on_the_run_and_on_its_steps() {
    let usage = TokenCount { input: 1_000, output: 100, cache_read: 50, ..TokenCount::default() };
    let prices = r#","prices":{"scripted/one":{"input":2000000,"output":10000000,"cache_read":1000000}}"#;
    let turns = [calls([("look", r#"{"n":1}"#)]).billed(usage), Turn::says("done").billed(usage)];
    let (_, view) = ended(turns, prices);
    let tokens = view.usage.tokens;
    assert_eq!((tokens.input, tokens.output, tokens.cache_read), (2_000, 200, 100));
    assert_eq!((view.usage.model_calls, view.usage.cost_micros), (2, Some(2 * (2_000 + 1_000 + 50))));
    assert_eq!(view.steps[0].execution.tokens, Some(usage));
}

#[test]
fn a_limit_on_tokens_ends_the_run() {
    let (_, view) = ended([calls([("look", r#"{"n":1}"#)])], r#","limits":{"max_tokens":15}"#);
    assert_eq!(failure(&view), "run.token_limit");
}

#[test]
fn another_agent_is_a_tool() {
    let world = world([Turn::calls([("a", "sub", json(r#"{"n":4}"#))]), Turn::says("done")]);
    let child = world.agent(2, r#"{"steps":[{"id":"x","tool":"jq"}],"output":{"got":{"$jq":".input.n"}}}"#);
    let text = format!(
        r#"{{"model":"scripted/one","instructions":"x","tools":{{"sub":{{"kind":"agent","agent":"{child}","description":"d","input_schema":{{"type":"object"}}}}}}}}"#
    );
    let run = world.start(&text, INPUT);
    assert_eq!(world.work_to_end(run).usage.children, 1);
    assert_eq!(told(&world.models.asked()[1]), [(r#"{"got":4}"#, false)]);
}

/// Decides the approval of a call.
pub(crate) fn decide(world: &World, run: RunId, decision: Choice, arguments: Option<&str>) -> Result<RunView, String> {
    let approval = world.open_approval(run).expect("a question is open");
    let (arguments, reason) = (arguments.map(json), Some("because".to_owned()));
    let command = DecideApproval { run, approval, decision, arguments, reason, expected: None };
    world.ask(world.runs.decide_approval.handle(&World::actor(), command)).map_err(|error| format!("{error:?}"))
}

#[test]
fn a_call_waits_for_approval_only_where_its_condition_holds() {
    let wanted = calls([("ask", r#"{"n":1}"#), ("ask", r#"{"n":2,"large":true}"#)]);
    let (world, run) = run_of([wanted, Turn::says("done")], "");
    world.work_until_waiting(run);
    assert_eq!((world.tools.made().len(), world.view(run).summary.waiting_for), (1, vec![Waiting::Approval]));
    let approval = world.view(run).steps[1].elements.as_ref().unwrap()[1].approval.clone().unwrap();
    assert_eq!(
        (approval.data, approval.call.map(|call| call.arguments_hash.len())),
        (json(r#"{"large":true,"n":2}"#), Some(64))
    );
    decide(&world, run, Choice::Approve, None).unwrap();
    assert_eq!(world.work_to_end(run).summary.status, RunStatus::Completed);
    assert_eq!(told(&world.models.asked()[1])[1], (r#"{"large":true,"n":2}"#, false));
}

#[test]
fn a_denial_is_told_to_the_model_with_its_reason() {
    let (world, run) = run_of([calls([("ask", r#"{"n":2,"large":true}"#)]), Turn::says("done")], "");
    world.work_until_waiting(run);
    decide(&world, run, Choice::Deny, None).unwrap();
    assert_eq!(world.work_to_end(run).summary.status, RunStatus::Completed);
    let asked = world.models.asked();
    let (text, failed) = told(&asked[1])[0];
    assert!(failed && text.ends_with("denied the approval: because"), "{text}");
    assert_eq!(world.tools.made(), []);
}

#[test]
fn edited_arguments_are_recorded_checked_and_called_with() {
    let (world, run) = run_of([calls([("ask", r#"{"n":2,"large":true}"#)]), Turn::says("done")], "");
    world.work_until_waiting(run);
    let refused = decide(&world, run, Choice::Approve, Some("{}")).unwrap_err();
    assert!(refused.contains("run.arguments_schema"), "{refused}");
    decide(&world, run, Choice::Approve, Some(r#"{"n":1}"#)).unwrap();
    let view = world.work_to_end(run);
    let edit = view.steps[1].elements.as_ref().unwrap()[0].approval.as_ref().unwrap().edit.clone();
    assert_eq!(edit.map(|edit| edit.arguments), Some(json(r#"{"n":1}"#)));
    assert_eq!(told(&world.models.asked()[1]), [(r#"{"n":1}"#, false)]);
}

#[test]
fn a_question_nobody_answers_counts_as_denied() {
    let turns = [calls([("ask", r#"{"n":2,"large":true}"#)]), Turn::says("done")];
    let (world, run) = run_of(turns, r#","approval_expires_s":60"#);
    world.work_until_waiting(run);
    let view = world.work_to_end(run);
    let approval = view.steps[1].elements.as_ref().unwrap()[0].approval.clone().unwrap();
    assert_eq!((approval.status, view.summary.status), (ApprovalStatus::Expired, RunStatus::Completed));
    assert!(told(&world.models.asked()[1])[0].0.starts_with("run.approval_expired"));
}

#[test]
fn many_questions_are_open_at_once_and_each_is_answered_by_itself() {
    let large = r#"{"n":2,"large":true}"#;
    let (world, run) = run_of([calls([("ask", large), ("ask", large), ("ask", large)]), Turn::says("done")], "");
    world.work_until_waiting(run);
    for _ in 0..3 {
        decide(&world, run, Choice::Approve, None).unwrap();
    }
    assert_eq!(world.work_to_end(run).usage.approvals, 3);
    assert_eq!(world.tools.made().len(), 3);
}

#[test]
fn a_workflow_asks_before_a_call_as_well() {
    let world = World::new();
    let tool = r#"{"kind":"http","effect":"unsafe","approval":"always","request":{"method":"POST","url":"file"}}"#;
    let text = format!(
        r#"{{"tools":{{"t":{tool}}},"steps":[{{"id":"a","tool":"t","arguments":5}}],"output":{{"$jq":".steps.a.output"}}}}"#
    );
    let run = world.start(&text, "null");
    world.work_until_waiting(run);
    assert_eq!(world.tools.made(), []);
    decide(&world, run, Choice::Approve, None).unwrap();
    assert_eq!(world.work_to_end(run).output, Some(json("5")));
}

#[test]
fn an_unsafe_call_without_an_answer_waits_for_a_verdict() {
    let (world, run) = run_of([calls([("lost", r#"{"n":1}"#)]), Turn::says("done")], "");
    world.work_until_waiting(run);
    let element = world.view(run).steps[1].elements.as_ref().unwrap()[0].clone();
    assert_eq!(element.status, StepStatus::InDoubt);
    let operation = element.operation_id.unwrap();
    let verdict = Verdict::Succeeded { result: "sent".into() };
    let command = ReconcileRun { run, operation, verdict, expected: None };
    world.ask(world.runs.reconcile.handle(&World::actor(), command)).unwrap();
    world.work_to_end(run);
    assert_eq!((told(&world.models.asked()[1]), world.tools.made().len()), (vec![("sent", false)], 1));
}

#[test]
fn turns_that_leave_are_summed_up_and_the_event_names_them() {
    let look = || calls([("look", r#"{"n":1}"#)]);
    let turns = [look(), look(), look(), Turn::says("Looked three times."), Turn::says("done")];
    let (world, view) = ended(turns, r#","context":{"window_turns":2,"summary":true}"#);
    let last = world.models.asked().pop().unwrap();
    let Message::User { text } = &last.messages[2] else { panic!("{:?}", last.messages) };
    assert!(text.ends_with("Looked three times.") && told(&last).len() == 1, "{:?}", last.messages);
    assert_eq!(view.steps.iter().filter(|step| step.kind == "summary").count(), 1);
    let page = world.ask(world.store.read_all(0, 500, &EventFilter::default())).unwrap();
    assert_eq!(page.events.iter().filter(|event| event.event_type.as_ref() == "run.context_compacted").count(), 1);
}

/// An answer that ended for another reason than completion.
fn broken_off(text: &str, finish: Finish) -> Turn {
    let Turn::Answer(answer) = Turn::says(text) else { panic!("an answer") };
    Turn::Answer(Box::new(ModelAnswer { finish, ..*answer }))
}

/// The model's last input about turns that left the window.
fn told_of_left(world: &World) -> String {
    let last = world.models.asked().pop().unwrap();
    let mut texts = last.messages.into_iter().rev().filter_map(|message| match message {
        Message::User { text } => Some(text),
        _ => None,
    });
    texts.next().unwrap()
}

const SUMMED_UP: &str = r#","max_output_tokens":300,"context":{"window_turns":2,"summary":true}"#;

#[test]
fn a_summary_that_was_cut_off_is_asked_for_again_with_more_room() {
    let look = || calls([("look", r#"{"n":1}"#)]);
    let cut = broken_off("Looked thr", Finish::Length);
    let (world, view) = ended([look(), look(), look(), cut, Turn::says("Looked."), Turn::says("done")], SUMMED_UP);
    let room: Vec<_> = world.models.asked().iter().map(|asked| asked.max_output_tokens).collect();
    assert_eq!(room, [300, 300, 300, 2_048, 8_192, 300]);
    let summaries: Vec<_> = view.steps.iter().filter(|step| step.kind == "summary").map(|step| &*step.id).collect();
    assert_eq!(summaries, ["turn_4_summary", "turn_4_longer_summary"]);
    assert!(told_of_left(&world).ends_with("Looked."));
}

#[test]
fn a_conversation_is_never_replaced_by_a_summary_that_is_not_whole() {
    let look = || calls([("look", r#"{"n":1}"#)]);
    for (text, finish) in [("Looked thr", Finish::Length), ("", Finish::Refused), (" ", Finish::Stop)] {
        let summary = || broken_off(text, finish);
        let turns = [look(), look(), look(), summary(), summary(), Turn::says("done")];
        let (world, view) = ended(turns, SUMMED_UP);
        assert_eq!(view.summary.status, RunStatus::Completed, "{finish:?}");
        assert!(told_of_left(&world).ends_with("left out here."), "{finish:?}");
    }
}

#[test]
fn a_question_that_is_too_long_is_asked_once_more_without_half_of_the_turns() {
    let look = || calls([("look", r#"{"n":1}"#)]);
    let turns = [look(), look(), look(), Turn::TooLong, Turn::says("Looked twice."), Turn::says("done")];
    let (world, view) = ended(turns, r#","context":{"summary":true}"#);
    let asked = world.models.asked();
    let shown: Vec<_> = [3, 5].into_iter().map(|n: usize| told(&asked[n]).len()).collect();
    assert_eq!((view.summary.status, shown), (RunStatus::Completed, vec![3, 1]));
    assert!(told_of_left(&world).ends_with("Looked twice.") && asked[3].operation == asked[5].operation);
}

#[test]
fn a_question_that_stays_too_long_fails_the_run() {
    let look = || calls([("look", r#"{"n":1}"#)]);
    let turns = [look(), look(), look(), Turn::TooLong, Turn::TooLong];
    assert_eq!(failure(&ended(turns, "").1), "model.context_overflow");
    assert_eq!(failure(&ended([Turn::TooLong], "").1), "model.context_overflow");
}

#[test]
fn what_a_model_says_is_heard_while_it_speaks() {
    let (world, run) = run_of([Turn::says("one two three")], "");
    let listener = world.live.listen(run);
    world.work_to_end(run);
    let heard = listener.take();
    let pieces: Vec<_> = heard.iter().map(|delta| (delta.offset, delta.text.as_str())).collect();
    assert_eq!(pieces, [(0, "one "), (4, "two "), (8, "three")]);
}

#[test]
fn a_step_costs_as_many_bytes_at_the_end_of_a_long_run_as_at_its_beginning() {
    let play = |_: &ModelRequest, asked: usize| match asked {
        0..500 => calls([("look", r#"{"n":1}"#)]),
        _ => Turn::says("done"),
    };
    let world = World::with(ScriptedModels::playing(play));
    let limits = r#","limits":{"max_steps":5000},"context":{"window_turns":10}"#;
    world.start(&assistant(limits), INPUT);
    world.work_until(World::has_completed);
    let (mut sizes, mut compactions, mut turn) = (vec![0_usize; 502], Vec::new(), 0);
    for event in world.recorded() {
        turn += usize::from(event.event_type.as_ref() == "run.model_called");
        match event.event_type.as_ref() {
            "run.context_compacted" => compactions.push(event.data.len()),
            _ => sizes[turn] += event.data.len(),
        }
    }
    // A turn is two steps, and the names of steps have one to three digits.
    assert!(sizes[500].abs_diff(sizes[5]) <= 20, "{} bytes at step 10, {} at step 1,000", sizes[5], sizes[500]);
    // A compaction refers to its range by the ends: as short for the last turns as for the first, and rare.
    let (first, last) = (compactions[0], compactions[compactions.len() - 1]);
    assert!(last.abs_diff(first) <= 20, "{first} bytes at the first compaction, {last} at the last");
    assert!(compactions.len() <= 500 / 6, "{} compactions in 500 turns", compactions.len());
}
