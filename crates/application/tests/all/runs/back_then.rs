//! Earlier states of runs, and old runs that do not change.

use std::time::Duration;

use chrono::{DateTime, Utc};
use devskyy_application::{
    error::Error,
    es::Moment,
    ports::Clock,
    runs::{GetRun, RunStatus, RunView},
};
use devskyy_domain::{conversation::TokenCount, kernel::ids::RunId, runs::Choice};
use devskyy_testkit::fakes::{ScriptedModels, Turn};

use super::{
    assistants::{INPUT, assistant},
    world::{World, definition},
};

const ASKS: &str = r#"{"steps":[{"id":"ask","approval":{"prompt":"go?"}}],"output":"done"}"#;

fn was(world: &World, run: RunId, moment: Moment) -> Result<RunView, Error> {
    world.ask(world.runs.get.handle(&World::actor(), GetRun { run, moment: Some(moment), steps: true }))
}

/// A run that was parked, approved and finished, with its state while it waited, and the time.
fn asked() -> (World, RunId, RunView, DateTime<Utc>) {
    let world = World::new();
    let run = world.start(ASKS, "1");
    world.work_until_waiting(run);
    let (waiting, then) = (world.view(run), world.clock.now());
    world.clock.advance(Duration::from_secs(60));
    world.decide(run, Choice::Approve).unwrap();
    world.work_to_end(run);
    (world, run, waiting, then)
}

#[test]
fn a_version_shows_the_run_as_it_was_then() {
    let (world, run, waiting, _) = asked();
    assert_eq!(was(&world, run, Moment::Version(waiting.summary.version)).unwrap(), waiting);
}

#[test]
fn an_instant_shows_the_run_as_it_was_then() {
    let (world, run, waiting, then) = asked();
    assert_eq!(was(&world, run, Moment::Instant(then)).unwrap(), waiting);
}

#[test]
fn a_version_the_run_has_not_come_to_is_not_there() {
    let (world, run, ..) = asked();
    let next = world.view(run).summary.version + 1;
    assert!(matches!(was(&world, run, Moment::Version(next)), Err(Error::NotFound(_))));
}

#[test]
fn before_it_was_asked_for_there_is_no_run() {
    let (world, run, ..) = asked();
    let before = world.view(run).summary.created_at - Duration::from_secs(1);
    assert!(matches!(was(&world, run, Moment::Instant(before)), Err(Error::NotFound(_))));
}

#[test]
fn version_zero_is_before_everything() {
    let (world, run, ..) = asked();
    assert!(matches!(was(&world, run, Moment::Version(0)), Err(Error::NotFound(_))));
}

#[test]
fn an_instant_to_come_shows_the_run_as_it_stands() {
    let (world, run, ..) = asked();
    let later = world.clock.now() + Duration::from_secs(3_600);
    assert_eq!(was(&world, run, Moment::Instant(later)).unwrap().summary.status, RunStatus::Completed);
}

#[test]
fn an_old_run_stays_as_it_ran_when_a_version_with_other_steps_tools_and_prices_is_published() {
    let Turn::Answer(answer) = Turn::says("done") else { panic!("an answer") };
    let usage = TokenCount { input: 1_000, ..TokenCount::default() };
    let answer = Turn::Answer(Box::new(devskyy_application::models::ModelAnswer { usage, ..*answer }));
    let world = World::with(ScriptedModels::taking([answer]));
    let priced = |price: u64| assistant(&format!(r#","prices":{{"scripted/one":{{"input":{price},"output":1}}}}"#));
    let run = world.start(&priced(2_000_000), INPUT);
    let before = world.work_to_end(run);
    world.agents.publish(before.summary.agent_id, definition(&priced(9_000_000)));
    world.agents.publish(before.summary.agent_id, definition(r#"{"model":"scripted/two","instructions":"Else."}"#));
    world.clock.advance(Duration::from_secs(60));
    let after = world.ask(world.runs.get.handle(&World::actor(), GetRun { run, moment: None, steps: true })).unwrap();
    assert_eq!((after.usage.cost_micros, &after), (Some(2_000), &before));
}
