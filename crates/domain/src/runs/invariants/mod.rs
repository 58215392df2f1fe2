//! Invariants of every recorded history of runs, independent of the writer.
//!
//! Nothing is shared with the code that writes histories ([`super::apply`], [`super::next`]), so that its bugs are
//! found and not repeated.

mod calls;
mod questions;
mod trail;

use std::collections::BTreeMap;

use trail::Trail;

use super::{event::RunEvent, values::Parent};
use crate::kernel::ids::{OperationId, RunId};

/// A property of every history of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// A run begins once, with its request.
    BeginsOnce,
    /// Nothing follows the end of a run, except verdicts on calls whose outcome was unknown.
    EndIsFinal,
    /// The fence grows by one with every change of holder.
    FenceRises,
    /// Only the worker that holds the run reports progress.
    HeldByOne,
    /// Every result belongs to a call that was recorded before and has no result yet.
    IntentFirst,
    /// An unsafe call is not repeated, and each place has its effect once.
    EffectOnce,
    /// Every answer belongs to an open question.
    QuestionFirst,
    /// A call that needs approval is made as approved, or not at all.
    AsApproved,
    /// A verdict is given only on a call whose outcome is unknown.
    DoubtFirst,
    /// A child run begins with its request, and its parent records its actual end.
    ChildrenAgree,
    /// A model is called only when every call it requested before has a result.
    PairedTranscript,
    /// A run that completes leaves no call, question or child run open.
    CompletesSettled,
    /// A waiting run has something to wait for, and a time at which it is looked at again.
    NothingStranded,
}

impl Invariant {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::BeginsOnce,
        Self::EndIsFinal,
        Self::FenceRises,
        Self::HeldByOne,
        Self::IntentFirst,
        Self::EffectOnce,
        Self::QuestionFirst,
        Self::AsApproved,
        Self::DoubtFirst,
        Self::ChildrenAgree,
        Self::PairedTranscript,
        Self::CompletesSettled,
        Self::NothingStranded,
    ];
}

/// A violation of an invariant at a position of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The run.
    pub run: RunId,
    /// Log position of the violating event; if an event is missing, of the run's last one.
    pub position: u64,
    /// The violated invariant.
    pub invariant: Invariant,
    /// What is wrong.
    pub why: String,
}

/// Violations caused by one event.
type Broken = Vec<(Invariant, String)>;

/// Follows the histories of all runs and collects violations.
#[derive(Debug, Default)]
pub struct Invariants {
    trails: BTreeMap<RunId, Trail>,
    breaches: Vec<Breach>,
}

impl Invariants {
    /// Adds the next event of the log that belongs to a run.
    pub fn hear(&mut self, position: u64, run: RunId, event: &RunEvent) {
        let mut broken = self.trails.entry(run).or_default().hear(position, event);
        if let RunEvent::ChildEnded(ended) = event {
            let child = RunId::from(uuid::Uuid::from(ended.operation));
            if self.trails.get(&child).is_none_or(|trail| trail.ended.is_none()) {
                broken
                    .push((Invariant::ChildrenAgree, format!("it is told of the end of {child}, which has not ended")));
            }
        }
        let breach = |(invariant, why)| Breach { run, position, invariant, why };
        self.breaches.extend(broken.into_iter().map(breach));
    }

    /// Returns all violations; `told` is the position up to which ends have been reported to parents.
    #[must_use]
    pub fn conclude(mut self, told: u64) -> Vec<Breach> {
        for (run, trail) in &self.trails {
            let broken = trail.parent.and_then(|parent| self.requested(*run, parent));
            let stranded = trail.open_children().filter_map(|child| self.stranded(trail, child, told));
            let found = broken.into_iter().chain(stranded);
            let breaches = found.map(|(invariant, why)| Breach { run: *run, position: trail.last, invariant, why });
            self.breaches.extend(breaches.collect::<Vec<_>>());
        }
        self.breaches.sort_by_key(|breach| breach.position);
        self.breaches
    }

    /// Whether the named parent requested the child.
    fn requested(&self, child: RunId, parent: Parent) -> Option<(Invariant, String)> {
        let asked = self.trails.get(&parent.run).is_some_and(|trail| trail.children.contains_key(&parent.operation));
        let own = uuid::Uuid::from(child) == uuid::Uuid::from(parent.operation);
        (!asked || !own).then(|| (Invariant::ChildrenAgree, format!("run {} did not ask for it", parent.run)))
    }

    /// Whether the end of a child run will never reach the parent that waits for it.
    fn stranded(&self, parent: &Trail, operation: OperationId, told: u64) -> Option<(Invariant, String)> {
        let child = RunId::from(uuid::Uuid::from(operation));
        match self.trails.get(&child) {
            None => Some((Invariant::ChildrenAgree, format!("its child run {child} never began"))),
            Some(trail) if parent.waits() => match trail.ended {
                Some(at) if at <= told => {
                    Some((Invariant::NothingStranded, format!("it was not told that its child run {child} has ended")))
                }
                _ => None,
            },
            Some(_) => None,
        }
    }
}
