//! How a worker releases a run that has not ended: it was asked to stop, or the run's project is no longer active.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

use super::{
    commit::Orders,
    execution::{Execution, Flow, Stop},
    nudge::Nudge,
    tasks::Outcome,
};
use chrono::{DateTime, Utc};
use devskyy_domain::{
    kernel::ids::ProjectId,
    runs::{Failure, Progress, Unit},
};

/// Signals from a worker to one of its runs.
#[derive(Debug, Default)]
pub(super) struct Signals {
    pub(super) nudge: Nudge,
    stopping: AtomicBool,
    letting_go: AtomicBool,
    project: OnceLock<ProjectId>,
}

impl Signals {
    /// Asks the run to begin nothing new, and to hand itself over as soon as nothing is in progress.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.nudge.signal();
    }

    /// Asks the run not to wait any longer for what is in progress.
    pub(super) fn let_go(&self) {
        self.letting_go.store(true, Ordering::Release);
        self.stop();
    }

    /// The project of the run, once it is known.
    pub(super) fn project(&self) -> Option<ProjectId> {
        self.project.get().copied()
    }

    pub(super) fn belongs_to(&self, project: ProjectId) {
        self.project.get_or_init(|| project);
    }

    pub(super) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(super) fn letting_go(&self) -> bool {
        self.letting_go.load(Ordering::Acquire)
    }
}

impl Execution {
    /// Abandons what is in progress. The outcome of a call that must not be repeated is recorded as unknown; everything
    /// else is repeated by the next worker.
    pub(super) async fn abandon(&mut self, fence: u64) -> Result<(), Stop> {
        let lost = std::mem::take(&mut self.busy).into_iter().filter_map(|place| {
            let Some(Unit::Calling(call)) = self.loaded.state.unit(&place) else { return None };
            let error = Failure::new("run.outcome_unknown", "the worker was stopped while the call was under way");
            (!call.repeatable()).then_some(Progress::Lose { operation: call.operation, error })
        });
        let lost: Vec<_> = lost.collect();
        self.commit(&Orders::new(), |run| run.record(fence, &lost)).await.map(|_| ())
    }

    /// Hands the run over to any free worker.
    pub(super) async fn hand_over(&mut self, fence: u64, now: DateTime<Utc>) -> Result<Flow, Stop> {
        let handed = self.commit_once(|run| run.hand_over(fence, now)).await?;
        Ok(if handed { Flow::Over } else { Flow::Again })
    }
}

impl Outcome {
    /// Whether recording it would start a call.
    pub(super) fn begins_a_call(&self) -> bool {
        match self {
            Self::Report(reports) => {
                let last = reports.last();
                last.is_some_and(|last| {
                    matches!(last, Progress::Call { .. } | Progress::Prompt { .. } | Progress::Again { .. })
                })
            }
            Self::Delegate(..) | Self::Broken(_) => false,
        }
    }
}
