//! What to do next: a pure function of a run's state, its workflow and the time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};

use super::{
    run::{Phase, Run},
    state::{StepState, Unit},
    values::{Failure, Place, Waiting},
};
use crate::{
    kernel::{Json, ids::OperationId},
    workflow::{Step, Workflow},
};

/// How a run ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// It returns a value.
    Completed(Json),
    /// It cannot go on.
    Failed(Failure),
    /// Somebody wanted it to stop.
    Cancelled,
    /// Its deadline passed.
    Expired,
}

/// One thing a worker can begin.
#[derive(Debug, Clone, PartialEq)]
pub enum Task<'w> {
    /// Look at a step for the first time: its condition, its elements, and what it does where it runs once.
    Enter {
        /// The step.
        step: &'w Step,
    },
    /// Run a step for one element.
    Element {
        /// The step.
        step: &'w Step,
        /// Which element.
        index: u32,
        /// The elements.
        items: Arc<Vec<Json>>,
    },
    /// Make a call again: it is due, or its worker vanished and it may be repeated.
    Again {
        /// Where.
        place: Place,
        /// Which call.
        operation: OperationId,
    },
    /// Admit that nobody knows what became of a call: its worker vanished and it must not be repeated.
    Lose {
        /// Where.
        place: Place,
        /// Which call.
        operation: OperationId,
    },
}

impl Task<'_> {
    /// Where it happens.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::Enter { step } => Place::step(&step.id),
            Self::Element { step, index, .. } => Place::element(&step.id, *index),
            Self::Again { place, .. } | Self::Lose { place, .. } => place.clone(),
        }
    }
}

/// What the holder of a run does next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next<'w> {
    /// Nothing, ever: the run has ended.
    Rest,
    /// End the run.
    Finish(Ending),
    /// Every step is settled: compute the output and end the run with it.
    Conclude,
    /// Begin these; never empty, and never more than the workflow's concurrency leaves room for.
    Begin(Vec<Task<'w>>),
    /// Wait for what is under way; `until` is when a call becomes due in between.
    Attend {
        /// When to ask again at the latest.
        until: DateTime<Utc>,
    },
    /// Nothing is under way: wait for something to happen, or for a point in time.
    Wait {
        /// What for.
        waiting: BTreeSet<Waiting>,
        /// When to ask again at the latest.
        until: DateTime<Utc>,
    },
}

/// What the holder of a run does next; `busy` is what it has under way.
///
/// A call that is recorded but not under way was left by a worker that vanished.
#[must_use]
pub fn next<'w>(run: &Run, workflow: &'w Workflow, now: DateTime<Utc>, busy: &BTreeSet<Place>) -> Next<'w> {
    let Some(deadline) = run.deadline().filter(|_| !run.ended()) else { return Next::Rest };
    if *run.phase() == Phase::Cancelling {
        return Next::Finish(Ending::Cancelled);
    }
    if deadline <= now {
        return Next::Finish(Ending::Expired);
    }
    if let Some(failure) = first_failure(run, workflow) {
        return if busy.is_empty() { Next::Finish(Ending::Failed(failure)) } else { Next::Attend { until: deadline } };
    }
    let tasks = tasks(run, workflow, now, busy);
    if !tasks.is_empty() {
        return begin(run, workflow, tasks, deadline, busy);
    }
    if busy.is_empty() && workflow.steps.iter().all(|step| run.step(&step.id).is_some_and(StepState::settled)) {
        return Next::Conclude;
    }
    wait(run, deadline, busy)
}

/// The failure of the earliest step, so that the same run always names the same one.
fn first_failure(run: &Run, workflow: &Workflow) -> Option<Failure> {
    let states = workflow.steps.iter().filter_map(|step| run.step(&step.id));
    states.flat_map(StepState::units).find_map(|(_, unit)| match unit {
        Unit::Failed(failure) => Some(failure.clone()),
        _ => None,
    })
}

fn begin<'w>(
    run: &Run,
    workflow: &'w Workflow,
    tasks: Vec<Task<'w>>,
    deadline: DateTime<Utc>,
    busy: &BTreeSet<Place>,
) -> Next<'w> {
    let left = workflow.limits.max_steps.saturating_sub(run.begun());
    let fresh = |task: &Task<'_>| matches!(task, Task::Enter { .. } | Task::Element { .. });
    let under_way = busy.iter().filter(|place| run.unit(place).is_none()).count();
    let mut room = (left as usize).saturating_sub(under_way);
    let allowed = tasks.into_iter().filter(|task| {
        let allowed = !fresh(task) || room > 0;
        room -= usize::from(allowed && fresh(task));
        allowed
    });
    let slots = (workflow.limits.concurrency.max(1) as usize).saturating_sub(busy.len());
    let chosen: Vec<_> = allowed.take(slots).collect();
    if !chosen.is_empty() {
        Next::Begin(chosen)
    } else if busy.is_empty() {
        let message = format!("the run reached its limit of {} steps", workflow.limits.max_steps);
        Next::Finish(Ending::Failed(Failure::new("run.step_limit", message)))
    } else {
        Next::Attend { until: deadline }
    }
}

fn tasks<'w>(run: &Run, workflow: &'w Workflow, now: DateTime<Utc>, busy: &BTreeSet<Place>) -> Vec<Task<'w>> {
    let settled: BTreeMap<&str, bool> = workflow
        .steps
        .iter()
        .map(|step| (step.id.as_str(), run.step(&step.id).is_some_and(StepState::settled)))
        .collect();
    let ready = |step: &Step| step.needs.iter().all(|need| settled.get(need.as_str()).copied().unwrap_or(false));
    let mut tasks = Vec::new();
    for step in &workflow.steps {
        match run.step(&step.id) {
            None if ready(step) && !busy.contains(&Place::step(&step.id)) => tasks.push(Task::Enter { step }),
            None | Some(StepState::Skipped) => {}
            Some(state) => {
                tasks.extend(state.units().filter_map(|(index, unit)| resumed(&step.id, index, unit, now, busy)));
                tasks.extend(elements(step, state, busy, workflow.limits.concurrency.max(1) as usize));
            }
        }
    }
    tasks
}

fn resumed<'w>(
    step: &str,
    index: Option<u32>,
    unit: &Unit,
    now: DateTime<Utc>,
    busy: &BTreeSet<Place>,
) -> Option<Task<'w>> {
    let place = Place { step: step.to_owned(), index };
    match unit {
        Unit::Backoff { call, until } if *until <= now && !busy.contains(&place) => {
            Some(Task::Again { place, operation: call.operation })
        }
        Unit::Calling(call) if !busy.contains(&place) => Some(if call.repeatable() {
            Task::Again { place, operation: call.operation }
        } else {
            Task::Lose { place, operation: call.operation }
        }),
        _ => None,
    }
}

/// The next few elements that have not begun; more than can run at once are not worth listing.
fn elements<'w>(step: &'w Step, state: &StepState, busy: &BTreeSet<Place>, most: usize) -> Vec<Task<'w>> {
    let StepState::Each { items, units } = state else { return Vec::new() };
    let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
    let fresh =
        (0..count).filter(|index| !units.contains_key(index) && !busy.contains(&Place::element(&step.id, *index)));
    fresh.take(most).map(|index| Task::Element { step, index, items: Arc::clone(items) }).collect()
}

fn wait<'w>(run: &Run, deadline: DateTime<Utc>, busy: &BTreeSet<Place>) -> Next<'w> {
    let (mut waiting, mut until) = (BTreeSet::new(), deadline);
    for (_, _, unit) in run.units() {
        match unit {
            Unit::Backoff { until: due, .. } => {
                waiting.insert(Waiting::Timer);
                until = until.min(*due);
            }
            Unit::Asking { .. } => drop(waiting.insert(Waiting::Approval)),
            Unit::InDoubt(_) => drop(waiting.insert(Waiting::Reconcile)),
            Unit::Child { .. } => drop(waiting.insert(Waiting::Child)),
            Unit::Calling(_) | Unit::Succeeded(_) | Unit::Failed(_) => {}
        }
    }
    match (busy.is_empty(), waiting.is_empty()) {
        (false, _) => Next::Attend { until },
        (true, false) => Next::Wait { waiting, until },
        // Only a workflow that was never checked gets here: its steps wait for each other, or for one that is not there.
        (true, true) => Next::Finish(Ending::Failed(Failure::new("run.stuck", "no step can begin"))),
    }
}
