//! How facts become state. Total and without rules: a fact about something unknown changes nothing.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    event::{ApprovalDecided, OutcomeSettled, RunEvent, ToolCalled},
    run::{Phase, Run},
    state::{Call, StepState, Unit},
    values::{ChildEnd, Choice, Failure, Place, Verdict},
};
use crate::{
    kernel::{Json, ids::OperationId},
    workflow::{Denial, Effect},
};

pub(super) fn apply(run: &mut Run, event: &RunEvent) {
    match event {
        RunEvent::Queued(queued) => {
            run.weigh(&queued.order.input);
            run.order = Some(Arc::new(queued.order.clone()));
            run.phase = Phase::Queued;
        }
        RunEvent::Claimed(claimed) => {
            run.fence = claimed.fence;
            run.wake(true);
        }
        RunEvent::Parked(parked) => {
            run.fence = parked.fence;
            run.phase = Phase::Waiting(parked.waiting.iter().copied().collect());
        }
        RunEvent::CancelRequested(cancel) => {
            run.fence = cancel.fence;
            run.phase = Phase::Cancelling;
        }
        RunEvent::Completed(completed) => {
            run.output = Some(Arc::new(completed.output.clone()));
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
            expanded.items.iter().for_each(|item| run.weigh(item));
            let items = Arc::new(expanded.items.clone());
            run.steps.insert(expanded.step.clone(), StepState::Each { items, units: BTreeMap::new() });
        }
        RunEvent::StepFailed(failed) => {
            run.begun += 1;
            run.put(&failed.place, Unit::Failed(failed.error.at(&failed.place)));
        }
        RunEvent::ApprovalRequested(asked) => {
            run.begun += 1;
            run.weigh(&asked.data);
            run.approvals.insert(asked.approval, (asked.place.clone(), None));
            run.put(&asked.place, Unit::Asking { approval: asked.approval, on_deny: asked.on_deny });
        }
        RunEvent::ApprovalDecided(decided) => run.decided(decided),
        RunEvent::ChildRequested(asked) => {
            run.begun += 1;
            run.operations.insert(asked.operation, asked.place.clone());
            run.put(&asked.place, Unit::Child { operation: asked.operation });
        }
        RunEvent::ChildEnded(ended) => {
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
        _ => {}
    }
}

impl Run {
    fn weigh(&mut self, value: &Json) {
        self.bytes = self.bytes.saturating_add(value.measure().bytes);
    }

    /// Something happened that a waiting run waited for; a claim wakes a queued one as well.
    fn wake(&mut self, claimed: bool) {
        if matches!(self.phase, Phase::Waiting(_)) || (claimed && self.phase == Phase::Queued) {
            self.phase = Phase::Running;
        }
    }

    fn put(&mut self, place: &Place, unit: Unit) {
        match (place.index, self.steps.get_mut(&place.step)) {
            (None, _) => {
                self.steps.insert(place.step.clone(), StepState::Once(unit));
            }
            (Some(index), Some(StepState::Each { units, .. })) => {
                units.insert(index, unit);
            }
            (Some(_), _) => {}
        }
    }

    fn called(&mut self, called: &ToolCalled) {
        let earlier = self.operation(called.operation).ok().and_then(|(_, unit)| unit.call().cloned());
        let arguments = earlier.map(|call| call.arguments);
        if arguments.is_none() {
            self.begun += 1;
            self.weigh(&called.arguments);
            self.operations.insert(called.operation, called.place.clone());
        }
        let call = Call {
            operation: called.operation,
            tool: called.tool.clone(),
            effect: called.effect,
            attempt: called.attempt,
            arguments: arguments.unwrap_or_else(|| Arc::new(called.arguments.clone())),
        };
        self.put(&called.place, Unit::Calling(call));
    }

    fn succeed(&mut self, operation: OperationId, result: &Json) {
        let Some(place) = self.operations.get(&operation).cloned() else { return };
        self.weigh(result);
        self.put(&place, Unit::Succeeded(Arc::new(result.clone())));
    }

    fn fail(&mut self, operation: OperationId, error: &Failure) {
        let Some(place) = self.operations.get(&operation).cloned() else { return };
        self.put(&place, Unit::Failed(error.at(&place)));
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

    fn decided(&mut self, decided: &ApprovalDecided) {
        let Some((place, choice)) = self.approvals.get_mut(&decided.approval) else { return };
        *choice = Some(decided.decision);
        let place = place.clone();
        let denial = match self.unit(&place) {
            Some(Unit::Asking { on_deny, .. }) => *on_deny,
            _ => Denial::Fail,
        };
        let unit = match (decided.decision, denial) {
            (Choice::Deny, Denial::Fail) => {
                let why = decided.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
                let error = Failure::new("run.approval_denied", format!("{} denied the approval{why}", decided.by));
                Unit::Failed(error.at(&place))
            }
            (Choice::Approve | Choice::Deny, _) => Unit::Succeeded(Arc::new(answer(decided))),
        };
        self.put(&place, unit);
        self.wake(false);
    }
}

/// What later steps see of an approval.
fn answer(decided: &ApprovalDecided) -> Json {
    let decision = match decided.decision {
        Choice::Approve => "approve",
        Choice::Deny => "deny",
    };
    let members = [
        ("decision", decision.into()),
        ("reason", decided.reason.clone().map_or(Json::Null, Json::from)),
        ("decided_by", decided.by.clone().into()),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl Unit {
    /// The call it is about, while its outcome is not known.
    #[must_use]
    pub const fn call(&self) -> Option<&Call> {
        match self {
            Self::Calling(call) | Self::Backoff { call, .. } | Self::InDoubt(call) => Some(call),
            Self::Asking { .. } | Self::Child { .. } | Self::Succeeded(_) | Self::Failed(_) => None,
        }
    }
}

impl Call {
    /// Whether the call may be made again when nobody knows what became of it.
    #[must_use]
    pub const fn repeatable(&self) -> bool {
        matches!(self.effect, Effect::ReadOnly | Effect::Idempotent)
    }
}
