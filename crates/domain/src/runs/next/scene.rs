//! What decides on the next action of any run, and the rules common to assistants and workflows.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{Ending, Next, Task};
use crate::runs::{
    run::Run,
    state::{Call, Unit},
    values::{Failure, Place, Waiting},
};

/// A run at one moment, held by a worker.
pub(super) struct Scene<'a> {
    pub(super) run: &'a Run,
    pub(super) now: DateTime<Utc>,
    pub(super) deadline: DateTime<Utc>,
    /// What the worker has in progress.
    pub(super) busy: &'a BTreeSet<Place>,
}

impl Scene<'_> {
    /// Whether nothing is in progress.
    pub(super) fn idle(&self) -> bool {
        self.busy.is_empty()
    }

    /// Whether nothing is in progress at a place.
    pub(super) fn free(&self, place: &Place) -> bool {
        !self.busy.contains(place)
    }

    /// Fails the run once the tasks in progress have returned.
    pub(super) fn fail<'d>(&self, failure: Failure) -> Next<'d> {
        if self.idle() { Next::Finish(Ending::Failed(failure)) } else { Next::Attend { until: self.deadline } }
    }

    /// Begins as many tasks as the limits allow.
    pub(super) fn begin<'d>(&self, tasks: Vec<Task<'d>>, max_steps: u32, concurrency: u32) -> Next<'d> {
        let left = max_steps.saturating_sub(self.run.begun());
        let uncounted = |place: &&Place| matches!(self.run.unit(place), None | Some(Unit::Approved(_)));
        let mut room = (left as usize).saturating_sub(self.busy.iter().filter(uncounted).count());
        let allowed = tasks.into_iter().filter(|task| {
            let allowed = !counts(task) || room > 0;
            room -= usize::from(allowed && counts(task));
            allowed
        });
        let slots = (concurrency.max(1) as usize).saturating_sub(self.busy.len());
        let chosen: Vec<_> = allowed.take(slots).collect();
        if !chosen.is_empty() {
            Next::Begin(chosen)
        } else {
            let message = format!("the run reached its limit of {max_steps} steps");
            self.fail(Failure::new("run.step_limit", message))
        }
    }

    /// Tasks that continue a step that has begun.
    pub(super) fn resumed<'d>(&self, step: &str) -> Vec<Task<'d>> {
        self.run.open_at(step).filter_map(|(place, unit)| self.resume(place.clone(), unit)).collect()
    }

    fn resume<'d>(&self, place: Place, unit: &Unit) -> Option<Task<'d>> {
        if !self.free(&place) {
            return None;
        }
        match unit {
            Unit::Backoff { call, until } if *until <= self.now || self.shortened(call) => {
                Some(Task::Again { place, operation: call.operation })
            }
            Unit::Calling(call) if call.repeatable() => Some(Task::Again { place, operation: call.operation }),
            Unit::Calling(call) => Some(Task::Lose { place, operation: call.operation }),
            Unit::Approved(proposal) => Some(Task::Perform { place, proposal: proposal.clone() }),
            Unit::Asking { approval, expires_at: Some(expiry), .. } if *expiry <= self.now => {
                Some(Task::Expire { place, approval: *approval })
            }
            _ => None,
        }
    }

    /// Whether a call waits for compaction, not for a point in time.
    const fn shortened(&self, call: &Call) -> bool {
        self.run.overflowed && call.overflowed
    }

    /// Waits for the tasks in progress, or for something to happen; `None` if there is nothing to wait for.
    pub(super) fn wait<'d>(&self) -> Option<Next<'d>> {
        let (mut waiting, mut until) = (BTreeSet::new(), self.deadline);
        for unit in self.run.open.iter().filter_map(|place| self.run.unit(place)) {
            match unit {
                // It is sent again after compaction, not at a point in time.
                Unit::Backoff { call, .. } if self.shortened(call) => {}
                Unit::Backoff { until: due, .. } => {
                    waiting.insert(Waiting::Timer);
                    until = until.min(*due);
                }
                Unit::Asking { expires_at, .. } => {
                    waiting.insert(Waiting::Approval);
                    until = expires_at.map_or(until, |expiry| until.min(expiry));
                }
                Unit::InDoubt(_) => drop(waiting.insert(Waiting::Reconcile)),
                Unit::Child { .. } => drop(waiting.insert(Waiting::Child)),
                Unit::Calling(_) | Unit::Approved(_) | Unit::Answered(_) | Unit::Succeeded(_) | Unit::Failed(_) => {}
            }
        }
        match (self.idle(), waiting.is_empty()) {
            (false, _) => Some(Next::Attend { until }),
            (true, false) => Some(Next::Wait { waiting, until }),
            (true, true) => None,
        }
    }
}

/// Whether a task counts towards the step limit.
const fn counts(task: &Task<'_>) -> bool {
    matches!(
        task,
        Task::Enter { .. }
            | Task::Element { .. }
            | Task::Prompt { .. }
            | Task::Summarise { .. }
            | Task::Use { .. }
            | Task::Perform { .. }
    )
}
