//! The next action in a run of a workflow.

use std::{collections::BTreeMap, sync::Arc};

use super::{Ending, Next, Task, scene::Scene};
use crate::{
    runs::{
        run::Run,
        state::StepState,
        values::{Failure, Place},
    },
    workflow::{Step, Workflow},
};

pub(super) fn next<'d>(scene: &Scene<'_>, workflow: &'d Workflow) -> Next<'d> {
    let run = scene.run;
    if let Some(failure) = first_failure(run, workflow) {
        return scene.fail(failure);
    }
    let tasks = tasks(scene, workflow);
    if !tasks.is_empty() {
        return scene.begin(tasks, workflow.limits.max_steps, workflow.limits.concurrency);
    }
    if scene.idle() && workflow.steps.iter().all(|step| run.step(&step.id).is_some_and(StepState::settled)) {
        return Next::Conclude;
    }
    // Only an unchecked workflow has nothing to wait for: its steps wait for each other, or for a missing step.
    scene.wait().unwrap_or_else(|| Next::Finish(Ending::Failed(Failure::new("run.stuck", "no step can begin"))))
}

/// The failure of the earliest step, so that the result is deterministic.
fn first_failure(run: &Run, workflow: &Workflow) -> Option<Failure> {
    workflow.steps.iter().find_map(|step| run.failure_at(&step.id)).cloned()
}

fn tasks<'d>(scene: &Scene<'_>, workflow: &'d Workflow) -> Vec<Task<'d>> {
    let run = scene.run;
    let settled: BTreeMap<&str, bool> = workflow
        .steps
        .iter()
        .map(|step| (step.id.as_str(), run.step(&step.id).is_some_and(StepState::settled)))
        .collect();
    let ready = |step: &Step| step.needs.iter().all(|need| settled.get(need.as_str()).copied().unwrap_or(false));
    let mut tasks = Vec::new();
    for step in &workflow.steps {
        match run.step(&step.id) {
            None if ready(step) && scene.free(&Place::step(&step.id)) => tasks.push(Task::Enter { step }),
            None | Some(StepState::Skipped) => {}
            Some(state) => {
                tasks.extend(scene.resumed(&step.id));
                tasks.extend(elements(scene, step, state, workflow.limits.concurrency.max(1) as usize));
            }
        }
    }
    tasks
}

/// The next elements that have not begun; no more than can run at once.
fn elements<'d>(scene: &Scene<'_>, step: &'d Step, state: &StepState, most: usize) -> Vec<Task<'d>> {
    let StepState::Each { items, units } = state else { return Vec::new() };
    let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
    // Elements begin in order, so those that have begun are usually the first ones and can be skipped.
    let begun = u32::try_from(units.len()).unwrap_or(u32::MAX);
    let gapless = units.keys().next_back().is_none_or(|last| last + 1 == begun);
    let fresh = (if gapless { begun } else { 0 }..count)
        .filter(|index| !units.contains_key(index) && scene.free(&Place::element(&step.id, *index)));
    fresh.take(most).map(|index| Task::Element { step, index, items: Arc::clone(items) }).collect()
}
