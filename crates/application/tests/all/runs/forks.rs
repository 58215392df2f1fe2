//! Runs that begin from an earlier one, judged by what is called again, and what is not.

use devskyy_application::{
    error::{Error, Refused},
    es::Idempotency,
    runs::{ForkRun, RetryRun, RunView, StartedRun},
};
use devskyy_domain::{
    conversation::{Message, TokenCount},
    kernel::{Json, ids::RunId},
    runs::Origin,
};
use devskyy_testkit::fakes::{ScriptedModels, Turn};

use super::{
    assistants::{INPUT, assistant, calls},
    workflows::tool,
    world::{World, definition, json},
};

/// Three steps in a row, and one beside them; `{}` stands for the address of the second.
fn chain(second: &str) -> String {
    format!(
        r#"{{"tools":{{"one":{},"two":{}}},"steps":[
        {{"id":"a","tool":"one","arguments":{{"$jq":".input"}}}},
        {{"id":"b","needs":["a"],"tool":"two","arguments":{{"$jq":".steps.a.output"}}}},
        {{"id":"c","needs":["b"],"tool":"one","arguments":{{"was":{{"$jq":".steps.b.output"}},"in":{{"$jq":".input"}}}}}},
        {{"id":"beside","tool":"one","arguments":8}}],
        "output":{{"$jq":".steps.c.output"}}}}"#,
        tool("unsafe", "file"),
        tool("unsafe", second),
    )
}

fn fork(run: RunId, step: &str) -> ForkRun {
    let (step, agent_version, input) = (step.to_owned(), None, None);
    ForkRun { run, step, agent_version, input, priority: None, deadline: None, wait: None, idempotency: None }
}

fn forked(world: &World, command: ForkRun) -> Result<StartedRun, Error> {
    world.ask(world.runs.fork.handle(&World::actor(), command))
}

fn retried(world: &World, run: RunId, key: Option<&str>) -> Result<StartedRun, Error> {
    let idempotency =
        key.map(|key| Idempotency { scope: uuid::Uuid::nil(), key: key.to_owned(), fingerprint: [7; 32] });
    let command = RetryRun { run, priority: None, deadline: None, wait: None, idempotency };
    world.ask(world.runs.retry.handle(&World::actor(), command))
}

fn refusal<T>(outcome: Result<T, Error>) -> (&'static str, Option<String>) {
    match outcome {
        Err(Error::Refused(Refused { code, pointer, .. })) => (code, pointer),
        Err(Error::Invalid(mut refused)) => (refused[0].code, refused.remove(0).pointer),
        Err(Error::NotFound(_)) => ("not_found", None),
        Err(error) => panic!("{error:?}"),
        Ok(_) => ("done", None),
    }
}

fn to_end(world: &World, started: Result<StartedRun, Error>) -> RunView {
    let id = started.unwrap().run.summary.id;
    world.work_to_end(id)
}

fn finished(text: &str, input: &str) -> (World, RunId) {
    let world = World::new();
    let run = world.start(text, input);
    world.work_to_end(run);
    (world, run)
}

fn taken(view: &RunView) -> Vec<&str> {
    view.steps.iter().filter(|step| step.execution.taken_over).map(|step| step.id.as_str()).collect()
}

#[test]
fn a_retry_repeats_an_ended_run_from_the_beginning_and_names_it() {
    let (world, run) = finished(&chain("broken"), "5");
    let view = to_end(&world, retried(&world, run, None));
    assert_eq!(
        (view.summary.origin, view.input, world.tools.made().len()),
        (Some(Origin::Retry { of: run }), json("5"), 6)
    );
}

#[test]
fn a_retry_runs_the_version_of_the_run_it_repeats() {
    let (world, run) = finished(&chain("file"), "5");
    world.agents.publish(world.view(run).summary.agent_id, definition(r#"{"steps":[{"id":"x","tool":"jq"}]}"#));
    assert_eq!(to_end(&world, retried(&world, run, None)).summary.agent_version, 1);
}

#[test]
fn a_run_that_has_not_ended_is_not_repeated() {
    let world = World::new();
    let run = world.start(&chain("file"), "5");
    assert_eq!(refusal(retried(&world, run, None)).0, "run.not_ended");
}

#[test]
fn the_same_retry_asked_for_twice_is_one_run() {
    let (world, run) = finished(&chain("file"), "5");
    let first = retried(&world, run, Some("again")).unwrap().run.summary.id;
    let second = retried(&world, run, Some("again")).unwrap();
    assert_eq!((second.run.summary.id, second.replayed), (first, true));
}

#[test]
fn a_run_nobody_asked_for_is_neither_repeated_nor_forked() {
    let world = World::new();
    let run = RunId::from(uuid::Uuid::from_u128(4));
    let refused = [refusal(retried(&world, run, None)).0, refusal(forked(&world, fork(run, "a"))).0];
    assert_eq!(refused, ["not_found", "not_found"]);
}

#[test]
fn a_fork_takes_over_what_is_before_its_step_without_doing_it_again() {
    let (world, run) = finished(&chain("file"), "5");
    let view = to_end(&world, forked(&world, fork(run, "c")));
    assert_eq!((taken(&view), world.tools.made().len()), (vec!["a", "b", "beside"], 5));
    assert_eq!(view.output, Some(json(r#"{"was":5,"in":5}"#)));
}

#[test]
fn what_is_taken_over_counts_for_no_limit_of_the_fork() {
    let (world, run) = finished(&chain("file"), "5");
    let view = to_end(&world, forked(&world, fork(run, "c")));
    assert_eq!((view.usage.steps, view.usage.calls), (1, 1));
}

#[test]
fn the_run_that_was_forked_stays_as_it_is() {
    let (world, run) = finished(&chain("broken"), "5");
    let before = world.view(run);
    to_end(&world, forked(&world, fork(run, "b")));
    assert_eq!(world.view(run), before);
}

#[test]
fn a_fork_names_the_run_and_the_step_it_comes_from() {
    let (world, run) = finished(&chain("file"), "5");
    let origin = forked(&world, fork(run, "b")).unwrap().run.summary.origin;
    assert_eq!(origin, Some(Origin::Fork { from: run, step: "b".into() }));
}

#[test]
fn a_fork_with_another_input_keeps_the_results_it_took_over() {
    let (world, run) = finished(&chain("file"), "5");
    let view = to_end(&world, forked(&world, ForkRun { input: Some(json("6")), ..fork(run, "c") }));
    assert_eq!(view.output, Some(json(r#"{"was":5,"in":6}"#)));
}

#[test]
fn a_fork_runs_another_version_from_the_step_that_was_mended() {
    let (world, run) = finished(&chain("broken"), "5");
    world.agents.publish(world.view(run).summary.agent_id, definition(&chain("file")));
    let view = to_end(&world, forked(&world, ForkRun { agent_version: Some(2), ..fork(run, "b") }));
    assert_eq!((view.output, view.summary.agent_version), (Some(json(r#"{"was":5,"in":5}"#)), 2));
}

#[test]
fn steps_that_differ_in_the_other_version_are_not_taken_over() {
    let (world, run) = finished(&chain("file"), "5");
    world.agents.publish(world.view(run).summary.agent_id, definition(&chain("echo")));
    let refused = refusal(forked(&world, ForkRun { agent_version: Some(2), ..fork(run, "c") }));
    assert_eq!(refused, ("run.steps_differ", Some("/agent_version".into())));
}

#[test]
fn a_version_that_is_not_there_is_refused_at_its_place() {
    let (world, run) = finished(&chain("file"), "5");
    let refused = refusal(forked(&world, ForkRun { agent_version: Some(2), ..fork(run, "c") }));
    assert_eq!(refused, ("run.version_unknown", Some("/agent_version".into())));
}

#[test]
fn a_step_that_is_not_there_is_refused_at_its_place() {
    let (world, run) = finished(&chain("file"), "5");
    assert_eq!(refusal(forked(&world, fork(run, "d"))), ("run.step_unknown", Some("/step".into())));
}

#[test]
fn a_step_the_run_has_not_come_to_is_refused_at_its_place() {
    let (world, run) = finished(&chain("broken"), "5");
    assert_eq!(refusal(forked(&world, fork(run, "c"))), ("run.step_not_reached", Some("/step".into())));
}

#[test]
fn elements_are_taken_over_in_their_order() {
    let text = r#"{"steps":[
        {"id":"a","for_each":".input","tool":"jq","arguments":{"$jq":".item"}},
        {"id":"b","needs":["a"],"tool":"jq","arguments":{"$jq":".steps.a.output"}}],"output":{"$jq":".steps.b.output"}}"#;
    let (world, run) = finished(text, "[3,1,2]");
    let view = to_end(&world, forked(&world, ForkRun { input: Some(Json::Null), ..fork(run, "b") }));
    assert_eq!(view.output, Some(json("[3,1,2]")));
}

/// An assistant that looked something up twice and then answered.
fn talked(more: &str) -> (World, RunId) {
    let look = |n: u32| {
        let Turn::Answer(answer) = calls([("look", format!(r#"{{"n":{n}}}"#).as_str())]) else { panic!("an answer") };
        let usage = TokenCount { input: 100, output: 10, ..TokenCount::default() };
        Turn::Answer(Box::new(devskyy_application::models::ModelAnswer { usage, ..*answer }))
    };
    let turns = [look(1), look(2), Turn::says("done"), Turn::says("done otherwise"), Turn::says("and more")];
    let world = World::with(ScriptedModels::taking(turns));
    let run = world.start(&assistant(more), INPUT);
    world.work_to_end(run);
    (world, run)
}

#[test]
fn a_fork_from_a_question_to_the_model_keeps_the_conversation_before_it() {
    let (world, run) = talked("");
    let view = to_end(&world, forked(&world, fork(run, "turn_3")));
    let asked = world.models.asked();
    assert_eq!((&asked[3].messages, view.output), (&asked[2].messages, Some("done otherwise".into())));
}

#[test]
fn a_fork_from_the_calls_of_an_answer_makes_them_again() {
    let (world, run) = talked("");
    to_end(&world, forked(&world, fork(run, "turn_2_tools")));
    let asked = world.models.asked();
    assert_eq!((world.tools.made().len(), &asked[3].messages), (3, &asked[2].messages));
}

#[test]
fn tokens_of_answers_that_were_taken_over_are_not_billed_again() {
    let (world, run) = talked("");
    let view = to_end(&world, forked(&world, fork(run, "turn_3")));
    assert_eq!((view.usage.model_calls, view.usage.tokens.input), (1, world.view(run).usage.tokens.input - 200));
}

#[test]
fn a_fork_shows_the_model_what_was_summed_up_before_it() {
    let context = r#","context":{"window_turns":1,"summary":true}"#;
    let (world, run) = talked(context);
    let asked = world.models.asked().len();
    to_end(&world, forked(&world, fork(run, "turn_3")));
    let after = world.models.asked();
    let summaries = |at: usize| {
        after[at]
            .messages
            .iter()
            .filter(|it| matches!(it, Message::User { text } if text.starts_with("Summary")))
            .count()
    };
    assert_eq!((summaries(asked), after.len()), (1, asked + 1));
}

#[test]
fn a_fork_in_a_version_without_a_tool_that_was_called_is_refused() {
    let (world, run) = talked("");
    let bare = r#"{"model":"scripted/one","instructions":"Help."}"#;
    world.agents.publish(world.view(run).summary.agent_id, definition(bare));
    let other = |step| ForkRun { agent_version: Some(2), ..fork(run, step) };
    let refused = [refusal(forked(&world, other("turn_2"))).0, refusal(forked(&world, other("turn_1"))).0];
    assert_eq!(refused, ["run.steps_differ", "done"]);
}

#[test]
fn nothing_is_forked_after_the_last_answer() {
    let (world, run) = talked("");
    assert_eq!(refusal(forked(&world, fork(run, "turn_4"))), ("run.step_not_reached", Some("/step".into())));
}

#[test]
fn a_run_that_reached_a_limit_goes_on_in_a_version_with_more_room() {
    let (world, run) = talked(r#","limits":{"max_steps":4}"#);
    world.agents.publish(world.view(run).summary.agent_id, definition(&assistant("")));
    let view = to_end(&world, forked(&world, ForkRun { agent_version: Some(2), ..fork(run, "turn_3") }));
    assert_eq!(view.output, Some("done".into()));
}
