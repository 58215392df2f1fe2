use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};

use super::{
    allowance::Spent,
    error::RunError,
    event::RunEvent,
    model_event::ContextCompacted,
    state::{Call, Callee, StepState, Unit},
    value::Value,
    values::{Choice, Failure, Order, Origin, Place, Waiting},
};
use crate::{
    conversation::TokenCount,
    kernel::{
        Aggregate,
        ids::{ApprovalId, OperationId, RunId},
    },
    workflow::StepId,
};

/// Most bytes of JSON text, roughly, of one value: an input, a result, an element list, an output.
pub const MAX_VALUE: usize = 1024 * 1024;
/// Most bytes of JSON text, roughly, of all values of one run together.
pub const MAX_STATE: usize = 16 * 1024 * 1024;
/// Most claims in a row of which nothing comes; the next one ends the run.
pub const MAX_IN_VAIN: u32 = 10;
/// Claims in a row of which nothing came that make it likely that the run is the reason.
const SUSPECT: u32 = 3;
/// Most runs above a run.
pub const MAX_ANCESTORS: u8 = 8;

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Phase {
    /// Nobody asked for it.
    #[default]
    Unknown,
    /// No worker has taken it yet.
    Queued,
    /// A worker has it, or may take it at once.
    Running,
    /// Nothing can be done before something happens.
    Waiting(BTreeSet<Waiting>),
    /// Somebody wants it to stop.
    Cancelling,
    /// It returned a value.
    Completed,
    /// It could not go on.
    Failed(Failure),
    /// It was stopped.
    Cancelled,
    /// Its deadline passed.
    Expired,
}

/// One execution of one agent version on one input.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Run {
    pub(super) phase: Phase,
    pub(super) order: Option<Arc<Order>>,
    pub(super) origin: Option<Origin>,
    pub(super) fence: u64,
    /// Claims since anything came of one.
    pub(super) in_vain: u32,
    pub(super) steps: BTreeMap<StepId, StepState>,
    pub(super) operations: BTreeMap<OperationId, Place>,
    pub(super) approvals: BTreeMap<ApprovalId, Question>,
    pub(super) begun: u32,
    pub(super) bytes: usize,
    pub(super) output: Option<Value>,
    pub(super) usage: TokenCount,
    pub(super) cost_micros: u64,
    /// What ended runs below it used.
    pub(super) below: Spent,
    pub(super) rejected: BTreeMap<StepId, Vec<String>>,
    pub(super) compacted: Option<ContextCompacted>,
    /// Whether the latest question was too long, and turns have to leave before it is asked again.
    pub(super) overflowed: bool,
    pub(super) turns: u32,
    /// Executions that have begun and are not over; looking for them would cost more with each step.
    pub(super) open: BTreeSet<Place>,
    pub(super) failed: BTreeSet<Place>,
}

/// What was asked, and what a person said to it: the decision, and the hash of the arguments they edited.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Question {
    pub(super) place: Place,
    pub(super) answer: Option<(Choice, Option<String>)>,
}

impl Run {
    /// Where it stands.
    #[must_use]
    pub const fn phase(&self) -> &Phase {
        &self.phase
    }

    /// What was asked for.
    #[must_use]
    pub fn order(&self) -> Option<&Order> {
        self.order.as_deref()
    }

    /// What was asked for, to keep.
    #[must_use]
    pub fn shared_order(&self) -> Option<Arc<Order>> {
        self.order.clone()
    }

    /// The run it was made from, where it was made from one.
    #[must_use]
    pub const fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The fence of whoever may add to it now.
    #[must_use]
    pub const fn fence(&self) -> u64 {
        self.fence
    }

    /// How often in a row a worker took it and nothing came of that, the present one included; a run that was parked or handed
    /// over was let go of in good order, and counts from there.
    #[must_use]
    pub const fn in_vain(&self) -> u32 {
        self.in_vain
    }

    /// Whether it may be what its workers vanish of, more than whatever else they carried out then.
    #[must_use]
    pub const fn suspect(&self) -> bool {
        self.in_vain >= SUSPECT
    }

    /// Whether it has ended.
    #[must_use]
    pub const fn ended(&self) -> bool {
        matches!(self.phase, Phase::Completed | Phase::Failed(_) | Phase::Cancelled | Phase::Expired)
    }

    /// Whether it stands still until a person has decided something or told what became of a call.
    #[must_use]
    pub fn waits_for_a_person(&self) -> bool {
        let person = |waiting: &Waiting| matches!(waiting, Waiting::Approval | Waiting::Reconcile);
        matches!(&self.phase, Phase::Waiting(waiting) if waiting.iter().any(person))
    }

    /// Child runs without whose end it does not go on.
    pub fn waiting_children(&self) -> impl Iterator<Item = RunId> + '_ {
        self.open_children().filter(|_| matches!(self.phase, Phase::Waiting(_)))
    }

    /// How far a step has come; `None` where nothing is recorded of it.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&StepState> {
        self.steps.get(id)
    }

    /// Executions, skips and questions begun so far; what the step limit counts.
    #[must_use]
    pub const fn begun(&self) -> u32 {
        self.begun
    }

    /// When it ends at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<DateTime<Utc>> {
        self.order().map(|order| order.deadline)
    }

    /// What it returned.
    #[must_use]
    pub const fn output(&self) -> Option<&Value> {
        self.output.as_ref()
    }

    /// Tokens its model calls were billed for.
    #[must_use]
    pub const fn usage(&self) -> &TokenCount {
        &self.usage
    }

    /// What its model calls cost, in millionths of the unit of the version's prices, as far as prices are known.
    #[must_use]
    pub const fn cost_micros(&self) -> u64 {
        self.cost_micros
    }

    /// Child runs that had not ended as far as is recorded here.
    pub fn open_children(&self) -> impl Iterator<Item = RunId> + '_ {
        self.units().filter_map(|(_, _, unit)| match unit {
            Unit::Child { operation } => Some(RunId::from(uuid::Uuid::from(*operation))),
            _ => None,
        })
    }

    /// A call whose outcome is not known.
    #[must_use]
    pub fn open_call(&self, operation: OperationId) -> Option<&Call> {
        self.operation(operation).ok().and_then(|(_, unit)| unit.call())
    }

    /// Questions to models that have no answer and may be put again.
    pub fn open_questions(&self) -> impl Iterator<Item = OperationId> + '_ {
        let calls = self.units().filter_map(|(_, _, unit)| unit.call());
        calls.filter(|call| matches!(call.callee, Callee::Model(_))).map(|call| call.operation)
    }

    /// Calls of which nobody knows what became of them, and where they are; each takes a verdict.
    pub fn doubts(&self) -> impl Iterator<Item = (&Place, &Call)> {
        let open = self.open.iter().filter_map(|place| self.unit(place).map(|unit| (place, unit)));
        open.filter(|(_, unit)| self.doubtful(unit)).filter_map(|(place, unit)| unit.call().map(|call| (place, call)))
    }

    /// Whether nobody knows what became of a call: that is on record, or the run ended in the middle of one that must not be
    /// repeated.
    #[must_use]
    pub const fn doubtful(&self, unit: &Unit) -> bool {
        match unit {
            Unit::InDoubt(_) => true,
            Unit::Calling(call) => self.ended() && !call.repeatable(),
            _ => false,
        }
    }

    /// Refuses while nobody knows what became of a call: whoever did the same once more might have its effect a second time.
    ///
    /// # Errors
    /// When a call is in doubt.
    pub fn certain(&self) -> Result<(), RunError> {
        let doubts: Vec<OperationId> = self.doubts().map(|(_, call)| call.operation).collect();
        if doubts.is_empty() { Ok(()) } else { Err(RunError::InDoubt(doubts)) }
    }

    /// Calls that must not be made again on a guess if the run goes no further: those in doubt, and unsafe ones under way.
    pub fn unsettled(&self) -> impl Iterator<Item = OperationId> + '_ {
        let open = self.open.iter().filter_map(|place| self.unit(place));
        let unsettled = open.filter(|unit| match unit {
            Unit::InDoubt(_) => true,
            Unit::Calling(call) => !call.repeatable(),
            _ => false,
        });
        unsettled.filter_map(Unit::call).map(|call| call.operation)
    }

    /// Every execution that has begun.
    pub fn units(&self) -> impl Iterator<Item = (&StepId, Option<u32>, &Unit)> {
        self.steps.iter().flat_map(|(id, state)| state.units().map(move |(index, unit)| (id, index, unit)))
    }

    /// Executions of a step that have begun and are not over.
    pub(super) fn open_at(&self, step: &str) -> impl Iterator<Item = (&Place, &Unit)> {
        at_step(&self.open, step).filter_map(|place| self.unit(place).map(|unit| (place, unit)))
    }

    /// The first execution of a step that failed.
    pub(super) fn failure_at(&self, step: &str) -> Option<&Failure> {
        at_step(&self.failed, step).find_map(|place| match self.unit(place) {
            Some(Unit::Failed(failure)) => Some(failure),
            _ => None,
        })
    }

    /// How far one execution has come.
    #[must_use]
    pub fn unit(&self, place: &Place) -> Option<&Unit> {
        match (self.steps.get(&place.step)?, place.index) {
            (StepState::Once(unit), None) => Some(unit),
            (StepState::Each { units, .. }, Some(index)) => units.get(&index),
            _ => None,
        }
    }

    /// Where and how far the call of an operation is.
    pub(super) fn operation(&self, operation: OperationId) -> Result<(&Place, &Unit), RunError> {
        let place = self.operations.get(&operation).ok_or(RunError::OperationUnknown)?;
        self.unit(place).map(|unit| (place, unit)).ok_or(RunError::OperationUnknown)
    }

    /// Refuses everybody but the holder of the current fence, and everybody once it has ended.
    pub(super) const fn held(&self, fence: u64) -> Result<(), RunError> {
        match self.phase {
            Phase::Unknown => Err(RunError::Unknown),
            _ if self.ended() => Err(RunError::Ended),
            _ if self.fence != fence => Err(RunError::Superseded),
            _ => Ok(()),
        }
    }

    /// Refuses where nothing can be decided from outside any more.
    pub(super) const fn open(&self) -> Result<(), RunError> {
        match self.phase {
            Phase::Unknown => Err(RunError::Unknown),
            Phase::Cancelling => Err(RunError::Cancelling),
            _ if self.ended() => Err(RunError::Ended),
            _ => Ok(()),
        }
    }
}

fn at_step<'a>(places: &'a BTreeSet<Place>, step: &str) -> impl Iterator<Item = &'a Place> {
    let first = Place::step(step);
    let last = Place::element(step, u32::MAX);
    places.range(first..=last)
}

impl Aggregate for Run {
    const CATEGORY: &'static str = "run";
    type Id = RunId;
    type Event = RunEvent;
    type Error = RunError;

    fn apply(&mut self, event: &RunEvent) {
        super::apply::apply(self, event);
    }
}
