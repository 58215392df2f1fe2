//! A process dies at each of the four points around an external call, and another one goes on.

use futures_util::future::join_all;

use super::{
    death::Moment,
    stage::{Kind, Stage},
};

const EFFECTS: [&str; 3] = ["read_only", "idempotent", "unsafe"];

/// Before the intent, after it, after what it intended, and after its result.
const fn moments(kind: Kind) -> [Moment; 4] {
    let (intent, done, result) = match kind {
        Kind::Http | Kind::Large | Kind::AssistantTool => ("run.tool_called", Moment::ToolDone, "run.tool_succeeded"),
        Kind::Model => ("run.model_called", Moment::ModelDone, "run.model_answered"),
        Kind::Child => ("run.child_requested", Moment::After("run.completed"), "run.child_ended"),
    };
    [Moment::Before(intent), Moment::After(intent), done, Moment::After(result)]
}

async fn every_death_is_survived(kind: Kind) {
    let each = EFFECTS.into_iter().flat_map(|effect| moments(kind).map(|moment| (effect, moment)));
    let played = each.map(|(effect, moment)| async move {
        let wrong = Stage::set(kind, effect).await.play(moment).await;
        wrong.into_iter().map(|wrong| format!("{kind:?}, {effect}, {moment:?}: {wrong}")).collect::<Vec<_>>()
    });
    assert_eq!(join_all(played).await.concat(), Vec::<String>::new());
}

#[tokio::test]
async fn a_process_may_die_around_a_request_of_a_workflow() {
    every_death_is_survived(Kind::Http).await;
}

#[tokio::test]
async fn a_process_may_die_around_a_tool_call_of_an_assistant() {
    every_death_is_survived(Kind::AssistantTool).await;
}

#[tokio::test]
async fn a_process_may_die_around_a_question_to_a_model() {
    every_death_is_survived(Kind::Model).await;
}

/// Kept without a reference, and referred to without the worker's knowing.
#[tokio::test]
async fn a_process_may_die_around_a_result_that_no_event_carries() {
    let moments = [Moment::ResultKept, Moment::Before("run.tool_succeeded"), Moment::After("run.tool_succeeded")];
    let each = EFFECTS.into_iter().flat_map(|effect| moments.map(|moment| (effect, moment)));
    let played = each.map(|(effect, moment)| async move {
        let wrong = Stage::set(Kind::Large, effect).await.play(moment).await;
        wrong.into_iter().map(|wrong| format!("{effect}, {moment:?}: {wrong}")).collect::<Vec<_>>()
    });
    assert_eq!(join_all(played).await.concat(), Vec::<String>::new());
}

#[tokio::test]
async fn a_process_may_die_around_a_child_run() {
    every_death_is_survived(Kind::Child).await;
}
