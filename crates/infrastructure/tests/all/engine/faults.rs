//! A process dies at each of the four points around an external call, and another one continues.

use futures_util::{StreamExt as _, stream};

use super::{
    death::Moment,
    stage::{Kind, Stage},
};
use crate::databases::{Fresh, postgres, sqlite};

const EFFECTS: [&str; 3] = ["read_only", "idempotent", "unsafe"];

/// The database, and how many scenarios one machine can run at once.
#[derive(Debug, Clone, Copy)]
enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    async fn fresh(self) -> Fresh {
        match self {
            Self::Sqlite => sqlite().await,
            Self::Postgres => postgres().await,
        }
    }

    const fn at_once(self) -> usize {
        match self {
            Self::Sqlite => 12,
            Self::Postgres => 2,
        }
    }
}

/// Before the intent, after it, after its effect, and after its result.
const fn moments(kind: Kind) -> [Moment; 4] {
    let (intent, done, result) = match kind {
        Kind::Http | Kind::Large | Kind::Mcp | Kind::AssistantTool | Kind::AssistantLarge | Kind::AssistantMcp => {
            ("run.tool_called", Moment::ToolDone, "run.tool_succeeded")
        }
        Kind::Model => ("run.model_called", Moment::ModelDone, "run.model_answered"),
        Kind::Child | Kind::AssistantChild => {
            ("run.child_requested", Moment::After("run.completed"), "run.child_ended")
        }
    };
    [Moment::Before(intent), Moment::After(intent), done, Moment::After(result)]
}

async fn played(engine: Engine, kind: Kind, effect: &'static str, moment: Moment) -> Vec<String> {
    let wrong = Stage::set(engine.fresh().await, kind, effect).await.play(moment).await;
    wrong.into_iter().map(|wrong| format!("{kind:?}, {effect}, {moment:?}: {wrong}")).collect()
}

async fn deaths_are_survived<const N: usize>(engine: Engine, kind: Kind, moments: [Moment; N]) {
    let each = EFFECTS.into_iter().flat_map(|effect| moments.map(|moment| (effect, moment)));
    let plays = stream::iter(each).map(|(effect, moment)| played(engine, kind, effect, moment));
    let wrong: Vec<Vec<String>> = plays.buffer_unordered(engine.at_once()).collect().await;
    assert_eq!(wrong.concat(), Vec::<String>::new());
}

async fn every_death_is_survived(engine: Engine, kind: Kind) {
    deaths_are_survived(engine, kind, moments(kind)).await;
}

async fn a_process_may_die_around_a_request_of_a_workflow(engine: Engine) {
    every_death_is_survived(engine, Kind::Http).await;
}

async fn a_process_may_die_around_a_call_of_a_server_of_tools(engine: Engine) {
    every_death_is_survived(engine, Kind::Mcp).await;
}

async fn a_process_may_die_around_a_tool_call_of_an_assistant(engine: Engine) {
    every_death_is_survived(engine, Kind::AssistantTool).await;
}

async fn a_process_may_die_around_a_question_to_a_model(engine: Engine) {
    every_death_is_survived(engine, Kind::Model).await;
}

async fn a_process_may_die_around_a_call_of_a_server_of_tools_of_an_assistant(engine: Engine) {
    every_death_is_survived(engine, Kind::AssistantMcp).await;
}

/// Stored without a reference, and referred to without the worker's knowledge.
const KEPT: [Moment; 3] =
    [Moment::ResultKept, Moment::Before("run.tool_succeeded"), Moment::After("run.tool_succeeded")];

async fn a_process_may_die_around_a_result_that_no_event_carries(engine: Engine) {
    deaths_are_survived(engine, Kind::Large, KEPT).await;
}

async fn a_process_may_die_around_a_result_of_an_assistant_that_no_event_carries(engine: Engine) {
    deaths_are_survived(engine, Kind::AssistantLarge, KEPT).await;
}

async fn a_process_may_die_around_a_child_run(engine: Engine) {
    every_death_is_survived(engine, Kind::Child).await;
}

async fn a_process_may_die_around_a_child_run_of_an_assistant(engine: Engine) {
    every_death_is_survived(engine, Kind::AssistantChild).await;
}

/// Turns each check into a test on both engines.
macro_rules! on_both_engines {
    ($($check:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $check() {
                super::$check(super::Engine::Sqlite).await;
            })+
        }

        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            #[ignore = "needs PostgreSQL"]
            async fn $check() {
                super::$check(super::Engine::Postgres).await;
            })+
        }
    };
}

on_both_engines!(
    a_process_may_die_around_a_request_of_a_workflow,
    a_process_may_die_around_a_call_of_a_server_of_tools,
    a_process_may_die_around_a_tool_call_of_an_assistant,
    a_process_may_die_around_a_question_to_a_model,
    a_process_may_die_around_a_call_of_a_server_of_tools_of_an_assistant,
    a_process_may_die_around_a_result_that_no_event_carries,
    a_process_may_die_around_a_result_of_an_assistant_that_no_event_carries,
    a_process_may_die_around_a_child_run,
    a_process_may_die_around_a_child_run_of_an_assistant,
);
