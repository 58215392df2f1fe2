//! What to do next in a run of an assistant: ask the model, make the calls it wants, tell it what came of them.

use super::{Ending, Next, Task, scene::Scene};
use crate::{
    assistant::Assistant,
    conversation::Finish,
    runs::{
        allowance::Allowance,
        model_event::ModelAnswered,
        state::{StepState, Unit},
        turns::{summary_step, tools_step, turn_step},
        values::{Failure, Place},
    },
};

pub(super) fn next<'d>(scene: &Scene<'_>, assistant: &Assistant) -> Next<'d> {
    let turn = scene.run.turns();
    if turn == 0 {
        return ask(scene, assistant, 1);
    }
    let step = turn_step(turn);
    match scene.run.step(&step) {
        Some(StepState::Once(Unit::Answered(answer))) => answered(scene, assistant, turn, answer),
        Some(StepState::Once(Unit::Failed(failure))) => scene.fail(failure.clone()),
        Some(_) => go_on(scene, assistant, &step),
        None => stuck(),
    }
}

/// A call is under way, or is to be made again.
fn go_on<'d>(scene: &Scene<'_>, assistant: &Assistant, step: &str) -> Next<'d> {
    let tasks = scene.resumed(step);
    if tasks.is_empty() { scene.wait().unwrap_or_else(stuck) } else { begin(scene, assistant, tasks) }
}

fn answered<'d>(scene: &Scene<'_>, assistant: &Assistant, turn: u32, answer: &ModelAnswered) -> Next<'d> {
    let place = Place::step(&turn_step(turn));
    match answer.finish {
        Finish::Refused => {
            let failure = Failure::new("run.model_refused", "the model, or a filter before it, declined to answer");
            return scene.fail(failure.at(&place));
        }
        Finish::Length => {
            let message = format!("the answer was cut off at its limit of {} tokens", assistant.max_output_tokens);
            return scene.fail(Failure::new("run.answer_truncated", message).at(&place));
        }
        Finish::Stop | Finish::ToolCalls => {}
    }
    if scene.run.rejection(turn).is_some() {
        return ask(scene, assistant, turn + 1);
    }
    if answer.calls.is_empty() {
        return Next::Conclude;
    }
    let step = tools_step(turn);
    let Some(state) = scene.run.step(&step) else { return stuck() };
    if scene.idle() && state.over() {
        return ask(scene, assistant, turn + 1);
    }
    let mut tasks = scene.resumed(&step);
    tasks.extend(wanted(scene, turn, answer));
    if tasks.is_empty() { scene.wait().unwrap_or_else(stuck) } else { begin(scene, assistant, tasks) }
}

/// Calls nobody has looked at yet.
fn wanted<'d>(scene: &Scene<'_>, turn: u32, answer: &ModelAnswered) -> Vec<Task<'d>> {
    let fresh = (0..).zip(&answer.calls).filter_map(|(index, call)| {
        let place = Place::element(&tools_step(turn), index);
        let untouched = scene.run.unit(&place).is_none() && scene.free(&place);
        untouched.then(|| Task::Use { place, call: call.clone() })
    });
    fresh.collect()
}

/// Asks the model for a turn, unless a limit is reached; before that, lets earlier turns leave what it sees.
fn ask<'d>(scene: &Scene<'_>, assistant: &Assistant, turn: u32) -> Next<'d> {
    let limits = &assistant.limits;
    let own = Allowance { max_tokens: limits.max_tokens, max_cost_micros: limits.max_cost_micros };
    if let Some(failure) = scene.run.reached(own) {
        return scene.fail(failure);
    }
    let leaving = scene.run.overflow(assistant);
    let Some((from, through)) = leaving else {
        return once(scene, assistant, Task::Prompt { place: Place::step(&turn_step(turn)) });
    };
    let step = summary_step(turn);
    let place = Place::step(&step);
    if !assistant.context.summary {
        return once(scene, assistant, Task::Compact { place, from, through, summary: None });
    }
    match scene.run.step(&step) {
        None => once(scene, assistant, Task::Summarise { place, from, through }),
        Some(StepState::Once(Unit::Answered(answer))) => {
            let summary = Some(answer.operation);
            once(scene, assistant, Task::Compact { place, from, through, summary })
        }
        Some(StepState::Once(Unit::Failed(failure))) => scene.fail(failure.clone()),
        Some(_) => go_on(scene, assistant, &step),
    }
}

/// Begins a task, unless it is under way.
fn once<'d>(scene: &Scene<'_>, assistant: &Assistant, task: Task<'d>) -> Next<'d> {
    if scene.free(&task.place()) { begin(scene, assistant, vec![task]) } else { Next::Attend { until: scene.deadline } }
}

fn begin<'d>(scene: &Scene<'_>, assistant: &Assistant, tasks: Vec<Task<'d>>) -> Next<'d> {
    scene.begin(tasks, assistant.limits.max_steps, assistant.limits.concurrency)
}

/// Only a history that no worker writes gets here.
fn stuck<'d>() -> Next<'d> {
    Next::Finish(Ending::Failed(Failure::new("run.stuck", "nothing can begin")))
}
