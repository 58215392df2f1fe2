//! How events become state. Total and free of rules: an event about something unknown changes nothing.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    allowance::Spent,
    approval_event::ApprovalRequested,
    event::{OutcomeSettled, RunEvent, ToolCalled},
    model_event::{Bill, ModelAnswered, ModelCalled, ModelFailed},
    run::{Phase, Question, Run},
    state::{Call, Callee, Proposal, StepState, Unit},
    turns::{SUMMARY, TOOLS},
    value::{StoredResult, Value},
    values::{ChildEnd, Failure, Origin, Place, Verdict},
};
use crate::{
    kernel::{Measure, ids::OperationId},
    workflow::Effect,
};

pub(super) fn apply(run: &mut Run, event: &RunEvent) {
    run.count_claims(event);
    match event {
        RunEvent::Queued(queued) => {
            run.weigh(queued.order.input.measure());
            run.order = Some(Arc::new(queued.order.clone()));
            run.phase = Phase::Queued;
        }
        RunEvent::Retried(retried) => run.origin = Some(Origin::Retry { of: retried.of }),
        RunEvent::Forked(forked) => run.origin = Some(Origin::Fork { from: forked.from, step: forked.step.clone() }),
        RunEvent::StepTakenOver(taken) => run.take_over(taken),
        RunEvent::Claimed(claimed) => {
            run.fence = claimed.fence;
            run.wake(true);
        }
        RunEvent::Parked(parked) => {
            run.fence = parked.fence;
            run.phase = match parked.waiting.as_slice() {
                [] => Phase::Running,
                waiting => Phase::Waiting(waiting.iter().copied().collect()),
            };
        }
        RunEvent::CancelRequested(cancel) => {
            run.fence = cancel.fence;
            run.phase = Phase::Cancelling;
        }
        RunEvent::Completed(completed) => {
            run.output = Some(completed.output.clone());
            run.phase = Phase::Completed;
        }
        RunEvent::Failed(failed) => run.phase = Phase::Failed(failed.error.clone()),
        RunEvent::Cancelled(_) => run.phase = Phase::Cancelled,
        RunEvent::Expired(_) => run.phase = Phase::Expired,
        _ => step(run, event),
    }
}

fn step(run: &mut Run, event: &RunEvent) {
    match event {
        RunEvent::StepSkipped(skipped) => {
            run.begun += 1;
            run.steps.insert(skipped.step.clone(), StepState::Skipped);
        }
        RunEvent::StepExpanded(expanded) => {
            expanded.items.iter().for_each(|item| run.weigh(item.measure()));
            let items = Arc::new(expanded.items.clone());
            run.steps.insert(expanded.step.clone(), StepState::Each { items, units: BTreeMap::new() });
        }
        RunEvent::StepFailed(failed) => {
            run.begun += 1;
            run.put(&failed.place, Unit::Failed(failed.error.at(&failed.place)));
        }
        RunEvent::ApprovalRequested(asked) => run.asked(asked),
        RunEvent::ApprovalDecided(decided) => run.decided(decided),
        RunEvent::ApprovalExpired(expired) => run.expired(expired),
        RunEvent::ChildRequested(asked) => {
            run.begun += 1;
            run.operations.insert(asked.operation, asked.place.clone());
            run.put(&asked.place, Unit::Child { operation: asked.operation });
        }
        RunEvent::ChildEnded(ended) => {
            run.below += ended.spent;
            match &ended.end {
                ChildEnd::Completed { output } => run.succeed(ended.operation, output),
                ChildEnd::Failed { error } => run.fail(ended.operation, error),
            }
            run.wake(false);
        }
        _ => call(run, event),
    }
}

fn call(run: &mut Run, event: &RunEvent) {
    match event {
        RunEvent::ToolCalled(called) => run.called(called),
        RunEvent::ToolSucceeded(succeeded) => run.succeed(succeeded.operation, &succeeded.result),
        RunEvent::ToolFailed(failed) => match failed.retry_at {
            None => run.fail(failed.operation, &failed.error),
            Some(until) => run.recall(failed.operation, |call| Unit::Backoff { call, until }),
        },
        RunEvent::OutcomeUnknown(unknown) => run.recall(unknown.operation, Unit::InDoubt),
        RunEvent::OutcomeSettled(settled) => {
            run.settled(settled);
            run.wake(false);
        }
        _ => model(run, event),
    }
}

fn model(run: &mut Run, event: &RunEvent) {
    match event {
        RunEvent::ModelCalled(called) => run.prompted(called),
        RunEvent::ModelAnswered(answered) => run.answered(answered),
        RunEvent::ModelFailed(failed) => run.unanswered(failed),
        RunEvent::AnswerRejected(rejected) => {
            run.rejected.insert(rejected.step.clone(), rejected.errors.clone());
        }
        RunEvent::ContextCompacted(compacted) => {
            run.compacted = Some(compacted.clone());
            run.overflowed = false;
        }
        _ => {}
    }
}

impl Run {
    /// Repeating a call because its worker vanished does not count as progress: that call may be the reason why the
    /// worker vanished.
    const fn count_claims(&mut self, event: &RunEvent) {
        let again = match event {
            RunEvent::Claimed(_) => {
                self.in_vain = self.in_vain.saturating_add(1);
                return;
            }
            RunEvent::ToolCalled(called) => called.attempt > 1,
            RunEvent::ModelCalled(called) => called.attempt > 1,
            _ => false,
        };
        if !again {
            self.in_vain = 0;
        }
    }

    pub(super) const fn weigh(&mut self, value: Measure) {
        self.bytes = self.bytes.saturating_add(value.bytes);
    }

    /// Wakes a waiting run because something it waited for happened; a claim wakes a queued run as well.
    pub(super) fn wake(&mut self, claimed: bool) {
        if matches!(self.phase, Phase::Waiting(_)) || (claimed && self.phase == Phase::Queued) {
            self.phase = Phase::Running;
        }
    }

    pub(super) fn put(&mut self, place: &Place, unit: Unit) {
        for (places, holds) in [(&mut self.open, !unit.over()), (&mut self.failed, matches!(unit, Unit::Failed(_)))] {
            if holds {
                places.insert(place.clone());
            } else {
                places.remove(place);
            }
        }
        match (place.index, self.steps.get_mut(&place.step)) {
            (None, _) => {
                self.steps.insert(place.step.clone(), StepState::Once(unit));
                self.count_turns(&place.step);
            }
            (Some(index), Some(StepState::Each { units, .. })) => {
                units.insert(index, unit);
            }
            (Some(_), _) => {}
        }
    }

    fn prompted(&mut self, called: &ModelCalled) {
        let earlier = self.operation(called.operation).ok().and_then(|(_, unit)| unit.call());
        let (unasked, overflowed, wasted) =
            earlier.map(|call| (call.unasked, call.overflowed, call.wasted)).unwrap_or_default();
        let fresh = self.operations.insert(called.operation, called.place.clone()).is_none();
        self.begun += u32::from(fresh);
        // If no turn could leave, the same question is asked again.
        self.overflowed &= called.place.step.ends_with(SUMMARY);
        let call = Call {
            operation: called.operation,
            callee: Callee::Model(called.model.clone()),
            effect: Effect::ReadOnly,
            attempt: called.attempt,
            unasked,
            overflowed,
            wasted,
            arguments: Arc::default(),
        };
        self.put(&called.place, Unit::Calling(call));
    }

    fn called(&mut self, called: &ToolCalled) {
        let earlier = self.operation(called.operation).ok().and_then(|(_, unit)| unit.call().cloned());
        let arguments = earlier.map(|call| call.arguments);
        if arguments.is_none() {
            self.begun += 1;
            self.weigh(called.arguments.measure());
            self.operations.insert(called.operation, called.place.clone());
        }
        let call = Call {
            operation: called.operation,
            callee: Callee::Tool(called.tool.clone()),
            effect: called.effect,
            attempt: called.attempt,
            unasked: 0,
            overflowed: false,
            wasted: Spent::default(),
            arguments: arguments.unwrap_or_else(|| Arc::new(called.arguments.clone())),
        };
        self.put(&called.place, Unit::Calling(call));
    }

    fn succeed(&mut self, operation: OperationId, result: &Value) {
        let Some(place) = self.operations.get(&operation).cloned() else { return };
        self.weigh(result.measure());
        self.put(&place, Unit::Succeeded(result.clone()));
    }

    fn fail(&mut self, operation: OperationId, error: &Failure) {
        let Some(place) = self.operations.get(&operation).cloned() else { return };
        self.put(&place, Unit::Failed(error.at(&place)));
    }

    fn unanswered(&mut self, failed: &ModelFailed) {
        let wasted = failed.billed.as_ref().map(Bill::spent).unwrap_or_default();
        self.usage += wasted.usage;
        self.cost_micros = self.cost_micros.saturating_add(wasted.cost_micros);
        let Some(until) = failed.retry_at else { return self.fail(failed.operation, &failed.error) };
        self.overflowed |= failed.overflow;
        self.recall(failed.operation, |call| {
            let unasked = call.unasked + u32::from(failed.unasked);
            let (overflowed, mut spent) = (call.overflowed || failed.overflow, call.wasted);
            spent += wasted;
            Unit::Backoff { call: Call { unasked, overflowed, wasted: spent, ..call }, until }
        });
    }

    fn recall(&mut self, operation: OperationId, change: impl FnOnce(Call) -> Unit) {
        let Ok((place, unit)) = self.operation(operation) else { return };
        let (place, call) = (place.clone(), unit.call().cloned());
        if let Some(call) = call {
            self.put(&place, change(call));
        }
    }

    fn settled(&mut self, settled: &OutcomeSettled) {
        let operation = settled.operation;
        match &settled.verdict {
            Verdict::Succeeded { result } => self.succeed(operation, result),
            Verdict::Failed { reason } => {
                let reason = reason.as_deref().unwrap_or("it had no effect");
                self.fail(
                    operation,
                    &Failure::new("run.settled_as_failed", format!("a person settled the call: {reason}")),
                );
            }
            Verdict::Retry => {
                let until = settled.at;
                self.recall(operation, |call| Unit::Backoff { call, until });
            }
        }
    }

    fn asked(&mut self, asked: &ApprovalRequested) {
        self.begun += 1;
        self.weigh(asked.data.measure());
        self.approvals.insert(asked.approval, Question { place: asked.place.clone(), answer: None });
        let proposal = |tool: &String| Proposal { tool: tool.clone(), arguments: Arc::new(asked.data.clone()) };
        let unit = Unit::Asking {
            approval: asked.approval,
            on_deny: asked.on_deny,
            call: asked.call.as_ref().map(|call| proposal(&call.tool)),
            expires_at: asked.expires_at,
        };
        self.put(&asked.place, unit);
    }

    pub(super) fn answered(&mut self, answered: &ModelAnswered) {
        let Some(place) = self.operations.get(&answered.operation).cloned() else { return };
        self.usage += answered.usage;
        self.cost_micros = self.cost_micros.saturating_add(answered.cost_micros.unwrap_or_default());
        self.bytes = self.bytes.saturating_add(answered.bytes());
        if !answered.calls.is_empty() {
            let items = answered.calls.iter().map(|call| call.arguments.clone()).collect();
            let state = StepState::Each { items: Arc::new(items), units: BTreeMap::new() };
            self.steps.entry(format!("{}{TOOLS}", place.step)).or_insert(state);
        }
        self.put(&place, Unit::Answered(Arc::new(answered.clone())));
    }
}

impl Unit {
    /// Whether it has ended, successfully or not.
    pub(super) const fn over(&self) -> bool {
        matches!(self, Self::Succeeded(_) | Self::Answered(_) | Self::Failed(_))
    }

    /// Reference to its result, if that is stored beside the log.
    #[must_use]
    pub fn stored(&self) -> Option<&StoredResult> {
        match self {
            Self::Succeeded(value) => value.stored(),
            _ => None,
        }
    }

    /// The call it is about, while the outcome is unknown.
    #[must_use]
    pub const fn call(&self) -> Option<&Call> {
        match self {
            Self::Calling(call) | Self::Backoff { call, .. } | Self::InDoubt(call) => Some(call),
            Self::Asking { .. }
            | Self::Approved(_)
            | Self::Child { .. }
            | Self::Answered(_)
            | Self::Succeeded(_)
            | Self::Failed(_) => None,
        }
    }
}

impl Call {
    /// Whether the call may be repeated when its outcome is unknown.
    #[must_use]
    pub const fn repeatable(&self) -> bool {
        matches!(self.effect, Effect::ReadOnly | Effect::Idempotent)
    }
}
