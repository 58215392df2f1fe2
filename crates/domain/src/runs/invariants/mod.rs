//! What must hold of every recorded history of runs, whoever wrote it.
//!
//! Nothing here is shared with the rules that write histories ([`super::apply`], [`super::next`]), so that a mistake of
//! theirs is found and not repeated.

mod calls;
mod questions;
mod trail;

use std::collections::BTreeMap;

use trail::Trail;

use super::{event::RunEvent, values::Parent};
use crate::kernel::ids::{OperationId, RunId};

/// One thing that holds of every history of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// A run begins once, by being asked for.
    BeginsOnce,
    /// Nothing happens to a run after its end, but that somebody finds out what became of one of its calls.
    EndIsFinal,
    /// The fence grows by one with every change of hands.
    FenceRises,
    /// Only a worker that holds the run adds progress to it.
    HeldByOne,
    /// Every result belongs to a call that was recorded before and has none yet.
    IntentFirst,
    /// A call that must not be repeated is not, and a place has its effect once.
    EffectOnce,
    /// Every answer belongs to an open question.
    QuestionFirst,
    /// A call somebody was asked about is made as approved, or not at all.
    AsApproved,
    /// A verdict is given only on a call whose outcome is unknown.
    DoubtFirst,
    /// A child run begins with its request, and its end is the one its parent is told of.
    ChildrenAgree,
    /// A model is asked only when every call it wanted before has a result.
    PairedTranscript,
    /// A run that completes leaves no call, question or child run open.
    CompletesSettled,
    /// A run that waits has something to wait for, and a point in time at which it is looked at again.
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

/// A place in the log at which an invariant does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Which run.
    pub run: RunId,
    /// Log position of the event that breaks it; of the run's last event where one is missing.
    pub position: u64,
    /// What does not hold.
    pub invariant: Invariant,
    /// How.
    pub why: String,
}

/// What one event breaks.
type Broken = Vec<(Invariant, String)>;

/// Follows the histories of all runs and collects what does not hold of them.
#[derive(Debug, Default)]
pub struct Invariants {
    trails: BTreeMap<RunId, Trail>,
    breaches: Vec<Breach>,
}

impl Invariants {
    /// The next event of the log that is about a run.
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

    /// Everything that does not hold; `told` is the position up to which parents have been told of ends.
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

    /// Whether the run that is named as the parent asked for the child.
    fn requested(&self, child: RunId, parent: Parent) -> Option<(Invariant, String)> {
        let asked = self.trails.get(&parent.run).is_some_and(|trail| trail.children.contains_key(&parent.operation));
        let own = uuid::Uuid::from(child) == uuid::Uuid::from(parent.operation);
        (!asked || !own).then(|| (Invariant::ChildrenAgree, format!("run {} did not ask for it", parent.run)))
    }

    /// Whether the end of a child run that is still waited for will ever be heard of.
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
