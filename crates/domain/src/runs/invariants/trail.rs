use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Broken, Invariant, calls::Calls, questions::Questions};
use crate::{
    kernel::ids::OperationId,
    runs::{
        event::{ChildRequested, RunEvent, RunParked},
        fork_event::{StepTakenOver, TakenOver},
        model_event::ModelAnswered,
        turns::{SUMMARY, TOOLS},
        values::{Parent, Place, Verdict, Waiting},
    },
    workflow::StepId,
};

/// The state of one run's history, as far as the invariants need it.
#[derive(Debug, Default)]
pub(super) struct Trail {
    begun: bool,
    forked: bool,
    held: bool,
    cancelling: bool,
    fence: u64,
    pub(super) last: u64,
    pub(super) ended: Option<u64>,
    pub(super) parent: Option<Parent>,
    deadline: Option<DateTime<Utc>>,
    pub(super) calls: Calls,
    pub(super) questions: Questions,
    /// Child runs, and whether their end is recorded.
    pub(super) children: BTreeMap<OperationId, (Place, bool)>,
    /// Calls requested by a model that have no result yet, by the step they are elements of.
    wanted: BTreeMap<StepId, BTreeSet<u32>>,
}

impl Trail {
    pub(super) fn hear(&mut self, position: u64, event: &RunEvent) -> Broken {
        let mut broken = Broken::new();
        self.last = position;
        self.place_in_life(event, &mut broken);
        match event {
            RunEvent::Queued(queued) => {
                self.begun = true;
                self.parent = queued.order.parent;
                self.deadline = Some(queued.order.deadline);
            }
            RunEvent::Retried(_) => {}
            RunEvent::Forked(_) => self.forked = true,
            RunEvent::StepTakenOver(taken) => self.taken_over(taken),
            RunEvent::Claimed(claimed) => {
                self.pass_on(claimed.fence, &mut broken);
                self.held = true;
            }
            RunEvent::Parked(parked) => self.parked(parked, &mut broken),
            RunEvent::CancelRequested(cancel) => {
                self.pass_on(cancel.fence, &mut broken);
                self.cancelling = true;
            }
            RunEvent::Completed(_) => {
                self.completed(&mut broken);
                self.end(position);
            }
            RunEvent::Failed(_) | RunEvent::Cancelled(_) | RunEvent::Expired(_) => self.end(position),
            _ => self.progress(event, &mut broken),
        }
        broken
    }

    /// Checks that the event may happen now and comes from the right side.
    fn place_in_life(&self, event: &RunEvent, broken: &mut Broken) {
        let queued = matches!(event, RunEvent::Queued(_));
        if queued == self.begun {
            broken.push((Invariant::BeginsOnce, "its first event, and only that, asks for it".to_owned()));
        }
        let ended = self.ended.is_some();
        // The outcome of a call can be recorded after the end, but the call is not repeated.
        let found_out =
            ended && matches!(event, RunEvent::OutcomeSettled(settled) if settled.verdict != Verdict::Retry);
        if ended && !found_out {
            broken.push((Invariant::EndIsFinal, "it had ended before".to_owned()));
        }
        let origin = matches!(event, RunEvent::Retried(_) | RunEvent::Forked(_) | RunEvent::StepTakenOver(_));
        let taken = matches!(event, RunEvent::StepTakenOver(_));
        if origin && (self.fence > 0 || taken != self.forked) {
            broken.push((Invariant::BeginsOnce, "what it begins with comes after something of its own".to_owned()));
        }
        // A fork begins with the rejections and compactions of the answers it takes over.
        let said = self.forked && self.fence == 0;
        let said = said && matches!(event, RunEvent::AnswerRejected(_) | RunEvent::ContextCompacted(_));
        let from_outside = origin
            || said
            || matches!(
                event,
                RunEvent::Queued(_)
                    | RunEvent::Claimed(_)
                    | RunEvent::CancelRequested(_)
                    | RunEvent::ApprovalDecided(_)
                    | RunEvent::OutcomeSettled(_)
                    | RunEvent::ChildEnded(_)
            );
        let stops = self.cancelling && matches!(event, RunEvent::Cancelled(_));
        if !self.held && !from_outside && !stops {
            broken.push((Invariant::HeldByOne, "no worker holds the run".to_owned()));
        }
        if self.cancelling && !stops && !found_out && !matches!(event, RunEvent::Claimed(_)) {
            broken.push((Invariant::HeldByOne, "it goes on although it is to stop".to_owned()));
        }
    }

    fn pass_on(&mut self, fence: u64, broken: &mut Broken) {
        if fence != self.fence + 1 {
            broken.push((Invariant::FenceRises, format!("fence {fence} follows fence {}", self.fence)));
        }
        self.fence = fence;
        self.held = false;
    }

    fn parked(&mut self, parked: &RunParked, broken: &mut Broken) {
        self.pass_on(parked.fence, broken);
        for waiting in &parked.waiting {
            let there = match waiting {
                Waiting::Approval => self.questions.any_open(),
                Waiting::Timer => self.calls.any_due_later(),
                Waiting::Reconcile => self.calls.any_in_doubt(),
                Waiting::Child => self.open_children().next().is_some(),
            };
            if !there {
                broken.push((Invariant::NothingStranded, format!("it waits for {waiting:?}, and there is none")));
            }
        }
        // Calls in progress when a run is handed over are resumed by the next worker, as after a crash.
        if self.calls.any_under_way() && !parked.waiting.is_empty() {
            broken.push((Invariant::NothingStranded, "it is let go of while a call is under way".to_owned()));
        }
        if self.deadline.is_some_and(|deadline| parked.until > deadline) {
            broken.push((Invariant::NothingStranded, "nobody looks at it at its deadline".to_owned()));
        }
    }

    fn completed(&self, broken: &mut Broken) {
        if self.calls.any_open() || self.questions.any_open() || self.open_children().next().is_some() {
            broken.push((Invariant::CompletesSettled, "something of it is open".to_owned()));
        }
        if let Some(step) = self.unpaired() {
            broken.push((Invariant::PairedTranscript, format!("calls of {step} have no result")));
        }
    }

    fn progress(&mut self, event: &RunEvent, broken: &mut Broken) {
        match event {
            RunEvent::ToolCalled(_) | RunEvent::ModelCalled(_) => {
                if let RunEvent::ModelCalled(_) = event
                    && let Some(step) = self.unpaired()
                {
                    broken.push((Invariant::PairedTranscript, format!("calls of {step} have no result")));
                }
                self.calls.begin(event, &self.questions, broken);
            }
            RunEvent::ModelAnswered(answered) => {
                self.calls.result(event, broken);
                self.wants(answered, broken);
            }
            RunEvent::ToolSucceeded(_)
            | RunEvent::ToolFailed(_)
            | RunEvent::ModelFailed(_)
            | RunEvent::OutcomeUnknown(_)
            | RunEvent::OutcomeSettled(_) => self.calls.result(event, broken),
            RunEvent::ApprovalRequested(_) | RunEvent::ApprovalDecided(_) | RunEvent::ApprovalExpired(_) => {
                self.questions.hear(event, broken);
            }
            RunEvent::ChildRequested(asked) => self.child(asked, broken),
            RunEvent::ChildEnded(ended) => match self.children.get_mut(&ended.operation) {
                Some((_, heard)) if !*heard => *heard = true,
                _ => broken.push((Invariant::ChildrenAgree, "no child run of that id is waited for".to_owned())),
            },
            _ => {}
        }
        if let Some(place) = self.closed(event) {
            let empty = place.index.zip(self.wanted.get_mut(&place.step)).is_some_and(|(index, left)| {
                left.remove(&index);
                left.is_empty()
            });
            if empty {
                self.wanted.remove(&place.step);
            }
        }
    }

    fn child(&mut self, asked: &ChildRequested, broken: &mut Broken) {
        self.calls.take_place(&asked.place, asked.operation, broken);
        self.questions.allow(&asked.place, None, broken);
        self.children.insert(asked.operation, (asked.place.clone(), false));
    }

    fn wants(&mut self, answered: &ModelAnswered, broken: &mut Broken) {
        let distinct: BTreeSet<_> = answered.calls.iter().map(|call| &call.id).collect();
        if distinct.len() != answered.calls.len() {
            broken.push((Invariant::PairedTranscript, "two calls of an answer have the same id".to_owned()));
        }
        let Some(place) = self.calls.place(answered.operation) else { return };
        // Calls requested in a summary are never made and never shown.
        if !answered.calls.is_empty() && !place.step.ends_with(SUMMARY) {
            let indices = (0..).zip(&answered.calls).map(|(index, _)| index).collect();
            self.wanted.insert(format!("{}{TOOLS}", place.step), indices);
        }
    }

    /// The calls of an answer that is taken over have their results taken over too, or are made again.
    fn taken_over(&mut self, taken: &StepTakenOver) {
        match &taken.result {
            TakenOver::Answer { calls, .. } if !calls.is_empty() && !taken.step.ends_with(SUMMARY) => {
                let indices = (0..).zip(calls).map(|(index, _)| index).collect();
                self.wanted.insert(format!("{}{TOOLS}", taken.step), indices);
            }
            TakenOver::Elements { .. } => drop(self.wanted.remove(&taken.step)),
            TakenOver::Answer { .. } | TakenOver::Output { .. } | TakenOver::Skipped => {}
        }
    }

    /// A step with calls that have no result, if any.
    fn unpaired(&self) -> Option<&StepId> {
        self.wanted.keys().next()
    }

    /// The place of the execution that this event ended, if any.
    fn closed(&self, event: &RunEvent) -> Option<Place> {
        match event {
            RunEvent::StepFailed(failed) => Some(failed.place.clone()),
            RunEvent::ChildEnded(ended) => self.children.get(&ended.operation).map(|(place, _)| place.clone()),
            RunEvent::ApprovalDecided(_) | RunEvent::ApprovalExpired(_) => self.questions.refused(event),
            _ => self.calls.closed(event),
        }
    }

    fn end(&mut self, position: u64) {
        self.ended.get_or_insert(position);
        self.calls.end();
        self.questions = Questions::default();
        self.wanted.clear();
    }

    /// Child runs whose end is not recorded.
    pub(super) fn open_children(&self) -> impl Iterator<Item = OperationId> + '_ {
        self.children.iter().filter(|(_, (_, heard))| !heard).map(|(operation, _)| *operation)
    }

    /// Whether the end of a child run still matters to it.
    pub(super) const fn waits(&self) -> bool {
        self.ended.is_none() && !self.cancelling
    }
}
