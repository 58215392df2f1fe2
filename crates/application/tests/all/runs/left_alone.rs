//! Runs whose provider's circuit is open for a while.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    models::{BreakerHabits, Deltas, ModelAnswer, ModelError, ModelRequest, Models, RoutedModels},
    ports::Clock,
    runs::{RunStatus, RunView, WorkerPorts},
};
use devskyy_testkit::fakes::{FixedClock, NamedModels, ScriptedModels, Turn};

use super::{
    assistants::{INPUT, assistant},
    world::{ENOUGH, World},
};

const RUNS: usize = 16;

/// A provider that is unavailable until an instant, and then needs time for each answer.
struct Recovering {
    clock: Arc<FixedClock>,
    back: DateTime<Utc>,
    answers: ScriptedModels,
}

#[async_trait]
impl Models for Recovering {
    async fn ask(&self, request: &ModelRequest, deltas: &dyn Deltas) -> Result<ModelAnswer, ModelError> {
        if self.clock.now() < self.back {
            return Err(ModelError::Unavailable { message: "nobody is there".to_owned(), retry_after: None });
        }
        self.clock.sleep(Duration::from_secs(20)).await;
        self.answers.ask(request, deltas).await
    }
}

/// How runs end that begin together while their provider is unavailable for a few seconds.
fn after_an_outage(runs: usize) -> Vec<RunStatus> {
    let world = World::new();
    let (clock, answers) = (world.clock.clone(), ScriptedModels::playing(|_, _| Turn::says("done")));
    let back = clock.now() + Duration::from_secs(5);
    let provider = Arc::new(Recovering { clock: clock.clone(), back, answers });
    let providers = Arc::new(NamedModels::default().with("scripted", provider));
    let models = Arc::new(RoutedModels::new(providers, clock, BreakerHabits::default()));
    let started: Vec<_> = (0..runs).map(|_| world.start(&assistant(""), INPUT)).collect();
    let worker = world.worker_with(|ports| WorkerPorts { models, ..ports });
    let ended = |world: &World| world.times("run.completed") + world.times("run.failed") == runs;
    assert!(world.drive(&worker, ENOUGH, ended), "some run never ends");
    started.into_iter().map(|run| world.status(run)).collect()
}

#[test]
fn whoever_waits_while_another_asks_a_slow_provider_whether_it_works_again_is_answered_as_well() {
    assert_eq!(after_an_outage(RUNS), [RunStatus::Completed; RUNS]);
}

fn ended(turns: impl IntoIterator<Item = Turn>, more: &str) -> RunView {
    let world = World::with(ScriptedModels::taking(turns));
    let run = world.start(&assistant(more), INPUT);
    world.work_to_end(run)
}

const RESTING: Turn = Turn::Resting(Duration::from_secs(1));

#[test]
fn that_a_provider_is_left_alone_uses_up_no_try() {
    let view = ended(std::iter::repeat_n(RESTING, 9).chain([Turn::says("done")]), "");
    assert_eq!(view.summary.status, RunStatus::Completed);
}

#[test]
fn tries_that_were_made_count_whatever_was_between_them() {
    let turns =
        [Turn::Timeout, RESTING, Turn::Timeout, RESTING, RESTING, Turn::Timeout, Turn::Timeout, Turn::says("done")];
    let view = ended(turns, "");
    assert_eq!(view.summary.error.map(|error| error.code).as_deref(), Some("model.timeout"));
}

#[test]
fn questions_that_reached_nobody_are_not_counted_as_asked() {
    let view = ended([RESTING, Turn::Timeout, RESTING, RESTING, Turn::says("done")], "");
    let told = (view.usage.model_calls, view.usage.retries, view.steps[0].execution.attempts);
    assert_eq!(told, (2, 1, 2));
}

#[test]
fn a_run_whose_provider_never_comes_back_ends_by_its_limit() {
    let world = World::with(ScriptedModels::playing(|_, _| RESTING));
    let run = world.start(&assistant(r#","limits":{"wall_clock_s":120}"#), INPUT);
    let view = world.work_to_end(run);
    let asked = world.models.asked().len();
    assert!(
        view.summary.status == RunStatus::Failed && (4..15).contains(&asked),
        "{:?} after {asked}",
        view.summary.status
    );
}
