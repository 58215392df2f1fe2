use std::collections::BTreeMap;

use super::{Broken, Invariant, questions::Questions};
use crate::{
    kernel::{Json, ids::OperationId},
    runs::{
        event::RunEvent,
        values::{Place, Verdict},
    },
    workflow::Effect,
};

/// State of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Only its intent is recorded.
    UnderWay,
    /// It failed and will be retried.
    DueLater,
    /// Its outcome is unknown.
    InDoubt,
    /// Its outcome is known.
    Over,
}

#[derive(Debug)]
struct Call {
    place: Place,
    effect: Effect,
    attempt: u32,
    stage: Stage,
}

/// The calls of one run.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: BTreeMap<OperationId, Call>,
    places: BTreeMap<Place, OperationId>,
}

/// An attempt of a call as it is recorded.
struct Try<'a> {
    place: &'a Place,
    operation: OperationId,
    effect: Effect,
    attempt: u32,
    arguments: Option<&'a Json>,
}

impl Calls {
    pub(super) fn begin(&mut self, event: &RunEvent, questions: &Questions, broken: &mut Broken) {
        let made = match event {
            RunEvent::ToolCalled(called) => Try {
                place: &called.place,
                operation: called.operation,
                effect: called.effect,
                attempt: called.attempt,
                arguments: Some(&called.arguments),
            },
            RunEvent::ModelCalled(called) => Try {
                place: &called.place,
                operation: called.operation,
                effect: Effect::ReadOnly,
                attempt: called.attempt,
                arguments: None,
            },
            _ => return,
        };
        match self.calls.get_mut(&made.operation) {
            Some(call) => call.again(&made, broken),
            None => {
                self.take_place(made.place, made.operation, broken);
                questions.allow(made.place, made.arguments, broken);
                if made.attempt != 1 {
                    broken.push((Invariant::EffectOnce, format!("its first try is called try {}", made.attempt)));
                }
                let Try { place, operation, effect, attempt, .. } = made;
                let call = Call { place: place.clone(), effect, attempt, stage: Stage::UnderWay };
                self.calls.insert(operation, call);
            }
        }
    }

    /// Records that a call was made at a place; a second one there would be a second effect.
    pub(super) fn take_place(&mut self, place: &Place, operation: OperationId, broken: &mut Broken) {
        if let Some(earlier) = self.places.insert(place.clone(), operation) {
            let why = format!("{} was done as operation {earlier} before", place.step);
            broken.push((Invariant::EffectOnce, why));
        }
    }

    pub(super) fn result(&mut self, event: &RunEvent, broken: &mut Broken) {
        let (operation, from, to) = match event {
            RunEvent::ToolSucceeded(succeeded) => (succeeded.operation, Stage::UnderWay, Stage::Over),
            RunEvent::ModelAnswered(answered) => (answered.operation, Stage::UnderWay, Stage::Over),
            RunEvent::ToolFailed(failed) => {
                (failed.operation, Stage::UnderWay, failed_stage(failed.retry_at.is_some()))
            }
            RunEvent::ModelFailed(failed) => {
                (failed.operation, Stage::UnderWay, failed_stage(failed.retry_at.is_some()))
            }
            RunEvent::OutcomeUnknown(unknown) => (unknown.operation, Stage::UnderWay, Stage::InDoubt),
            RunEvent::OutcomeSettled(settled) => {
                (settled.operation, Stage::InDoubt, failed_stage(settled.verdict == Verdict::Retry))
            }
            _ => return,
        };
        let stage = self.calls.get(&operation).map(|call| call.stage);
        if stage != Some(from) {
            let invariant = if from == Stage::InDoubt { Invariant::DoubtFirst } else { Invariant::IntentFirst };
            broken.push((invariant, format!("operation {operation} is {}", stage.map_or("unknown", Stage::told))));
        }
        if let Some(call) = self.calls.get_mut(&operation) {
            call.stage = to;
        }
    }

    /// Keeps, at the end of the run, only the calls whose outcome is unknown.
    pub(super) fn end(&mut self) {
        for call in self.calls.values_mut() {
            if call.stage == Stage::UnderWay && call.effect == Effect::Unsafe {
                call.stage = Stage::InDoubt;
            }
        }
        self.calls.retain(|_, call| call.stage == Stage::InDoubt);
        self.places.clear();
    }

    pub(super) fn place(&self, operation: OperationId) -> Option<&Place> {
        self.calls.get(&operation).map(|call| &call.place)
    }

    /// The place of the call that this event ended, if any.
    pub(super) fn closed(&self, event: &RunEvent) -> Option<Place> {
        let operation = match event {
            RunEvent::ToolSucceeded(succeeded) => succeeded.operation,
            RunEvent::ToolFailed(failed) => failed.operation,
            RunEvent::OutcomeSettled(settled) => settled.operation,
            _ => return None,
        };
        self.calls.get(&operation).filter(|call| call.stage == Stage::Over).map(|call| call.place.clone())
    }

    fn any(&self, wanted: impl Fn(Stage) -> bool) -> bool {
        self.calls.values().any(|call| wanted(call.stage))
    }

    pub(super) fn any_under_way(&self) -> bool {
        self.any(|stage| stage == Stage::UnderWay)
    }

    pub(super) fn any_due_later(&self) -> bool {
        self.any(|stage| stage == Stage::DueLater)
    }

    pub(super) fn any_in_doubt(&self) -> bool {
        self.any(|stage| stage == Stage::InDoubt)
    }

    pub(super) fn any_open(&self) -> bool {
        self.any(|stage| stage != Stage::Over)
    }
}

impl Call {
    fn again(&mut self, made: &Try<'_>, broken: &mut Broken) {
        let repeatable = matches!(self.effect, Effect::ReadOnly | Effect::Idempotent);
        let allowed = match self.stage {
            Stage::DueLater => true,
            Stage::UnderWay => repeatable,
            Stage::InDoubt | Stage::Over => false,
        };
        if !allowed {
            let why = format!("operation {} is {} and is made again", made.operation, self.stage.told());
            broken.push((Invariant::EffectOnce, why));
        }
        if made.attempt != self.attempt + 1 || *made.place != self.place || made.effect != self.effect {
            broken.push((
                Invariant::EffectOnce,
                format!("a try of operation {} does not follow the last", made.operation),
            ));
        }
        (self.attempt, self.stage) = (made.attempt, Stage::UnderWay);
    }
}

impl Stage {
    const fn told(self) -> &'static str {
        match self {
            Self::UnderWay => "under way",
            Self::DueLater => "to be made again later",
            Self::InDoubt => "in doubt",
            Self::Over => "over",
        }
    }
}

const fn failed_stage(again: bool) -> Stage {
    if again { Stage::DueLater } else { Stage::Over }
}
