//! The next action in a run of an assistant: call the model, make the calls it requests, pass it the results.

use super::{Ending, Next, Task, scene::Scene};
use crate::{
    assistant::Assistant,
    conversation::Finish,
    runs::{
        allowance::Allowance,
        model_event::{Leaving, ModelAnswered, Unsummarised},
        state::{StepState, Unit},
        turns::{CONTEXT_OVERFLOW, summary_tries, tools_step, turn_step},
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
        Some(_) if scene.run.overflowed => shorten(scene, assistant, turn),
        Some(_) => go_on(scene, assistant, &step),
        None => stuck(),
    }
}

/// Resumes a call that is in progress or has to be repeated.
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

/// Calls that have not been looked at yet.
fn wanted<'d>(scene: &Scene<'_>, turn: u32, answer: &ModelAnswered) -> Vec<Task<'d>> {
    let fresh = (0..).zip(&answer.calls).filter_map(|(index, call)| {
        let place = Place::element(&tools_step(turn), index);
        let untouched = scene.run.unit(&place).is_none() && scene.free(&place);
        untouched.then(|| Task::Use { place, call: call.clone() })
    });
    fresh.collect()
}

/// Calls the model for a turn, unless a limit is reached; removes earlier turns first if necessary.
fn ask<'d>(scene: &Scene<'_>, assistant: &Assistant, turn: u32) -> Next<'d> {
    if let Some(failure) = exhausted(scene, assistant) {
        return scene.fail(failure);
    }
    match scene.run.overflow(assistant) {
        Some(turns) => leave(scene, assistant, turn, Leaving::Window, turns),
        None => once(scene, assistant, Task::Prompt { place: Place::step(&turn_step(turn)) }),
    }
}

/// Removes half of the earlier turns because the prompt was too long; the prompt is then sent again.
fn shorten<'d>(scene: &Scene<'_>, assistant: &Assistant, turn: u32) -> Next<'d> {
    if let Some(failure) = exhausted(scene, assistant) {
        return scene.fail(failure);
    }
    match scene.run.spare(assistant) {
        Some(turns) => leave(scene, assistant, turn, Leaving::Overflow, turns),
        None => go_on(scene, assistant, &turn_step(turn)),
    }
}

fn exhausted(scene: &Scene<'_>, assistant: &Assistant) -> Option<Failure> {
    let limits = &assistant.limits;
    scene.run.reached(Allowance { max_tokens: limits.max_tokens, max_cost_micros: limits.max_cost_micros })
}

/// Removes turns from what the model sees, after the model has summarised them if the agent asks for that.
///
/// A summary must be complete: one that is cut off, refused or empty is requested once more with a higher limit. If
/// that fails too, the model sees a note that turns are missing, and the event gives the reason.
fn leave<'d>(
    scene: &Scene<'_>,
    assistant: &Assistant,
    turn: u32,
    cause: Leaving,
    (from, through): (u32, u32),
) -> Next<'d> {
    let compact = |step: &str, summary, unsummarised| {
        let place = Place::step(step);
        once(scene, assistant, Task::Compact { place, from, through, summary, cause, unsummarised })
    };
    let [first, longer] = summary_tries(turn, cause);
    if !assistant.context.summary {
        return compact(&first, None, None);
    }
    let mut missing = Unsummarised::Empty;
    for step in [&first, &longer] {
        match scene.run.step(step) {
            None => return once(scene, assistant, Task::Summarise { place: Place::step(step), from, through }),
            Some(StepState::Once(Unit::Answered(answer))) => match answer.no_summary() {
                None => return compact(step, Some(answer.operation), None),
                Some(why) => missing = why,
            },
            // A higher limit would not help, or was already tried.
            Some(StepState::Once(Unit::Failed(failure))) if *step == longer || failure.code == CONTEXT_OVERFLOW => {
                return compact(step, None, Some(Unsummarised::Failed));
            }
            Some(StepState::Once(Unit::Failed(failure))) => return scene.fail(failure.clone()),
            Some(_) => return go_on(scene, assistant, step),
        }
    }
    compact(&longer, None, Some(missing))
}

/// Begins a task, unless it is already in progress.
fn once<'d>(scene: &Scene<'_>, assistant: &Assistant, task: Task<'d>) -> Next<'d> {
    if scene.free(&task.place()) { begin(scene, assistant, vec![task]) } else { Next::Attend { until: scene.deadline } }
}

fn begin<'d>(scene: &Scene<'_>, assistant: &Assistant, tasks: Vec<Task<'d>>) -> Next<'d> {
    scene.begin(tasks, assistant.limits.max_steps, assistant.limits.concurrency)
}

/// Reached only by a history that no worker writes.
fn stuck<'d>() -> Next<'d> {
    Next::Finish(Ending::Failed(Failure::new("run.stuck", "nothing can begin")))
}
