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

/// Maximum size of one value (input, result, element list or output), in approximate bytes of JSON text.
pub const MAX_VALUE: usize = 1024 * 1024;
/// Maximum size of all values of one run together, in approximate bytes of JSON text.
pub const MAX_STATE: usize = 16 * 1024 * 1024;
/// Maximum number of consecutive claims without progress; the next one fails the run.
pub const MAX_IN_VAIN: u32 = 10;
/// Consecutive claims without progress after which the run is suspected to be the cause.
const SUSPECT: u32 = 3;
/// Maximum number of ancestors of a run.
pub const MAX_ANCESTORS: u8 = 8;

/// The state of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Phase {
    /// It was never requested.
    #[default]
    Unknown,
    /// No worker has claimed it yet.
    Queued,
    /// A worker holds it, or any worker may claim it at once.
    Running,
    /// It is blocked until something happens.
    Waiting(BTreeSet<Waiting>),
    /// Cancellation was requested.
    Cancelling,
    /// It returned a value.
    Completed,
    /// It failed.
    Failed(Failure),
    /// It was cancelled.
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
    /// Claims since the last progress.
    pub(super) in_vain: u32,
    pub(super) steps: BTreeMap<StepId, StepState>,
    pub(super) operations: BTreeMap<OperationId, Place>,
    pub(super) approvals: BTreeMap<ApprovalId, Question>,
    pub(super) begun: u32,
    pub(super) bytes: usize,
    pub(super) output: Option<Value>,
    pub(super) usage: TokenCount,
    pub(super) cost_micros: u64,
    /// Usage of child runs that have ended, including their descendants.
    pub(super) below: Spent,
    pub(super) rejected: BTreeMap<StepId, Vec<String>>,
    pub(super) compacted: Option<ContextCompacted>,
    /// Whether the latest prompt was too long, so that turns have to be removed before it is sent again.
    pub(super) overflowed: bool,
    pub(super) turns: u32,
    /// Executions that have begun and not ended; searching for them would cost more with each step.
    pub(super) open: BTreeSet<Place>,
    pub(super) failed: BTreeSet<Place>,
}

/// A question and its answer: the decision, and the hash of the edited arguments.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Question {
    pub(super) place: Place,
    pub(super) answer: Option<(Choice, Option<String>)>,
}

impl Run {
    /// The state of the run.
    #[must_use]
    pub const fn phase(&self) -> &Phase {
        &self.phase
    }

    /// The request that started it.
    #[must_use]
    pub fn order(&self) -> Option<&Order> {
        self.order.as_deref()
    }

    /// The request that started it, shared.
    #[must_use]
    pub fn shared_order(&self) -> Option<Arc<Order>> {
        self.order.clone()
    }

    /// The run it was made from, if any.
    #[must_use]
    pub const fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The fence that may currently append to it.
    #[must_use]
    pub const fn fence(&self) -> u64 {
        self.fence
    }

    /// Number of consecutive claims without progress, including the present one. Parking a run or handing it over
    /// resets the count, because its worker did not vanish.
    #[must_use]
    pub const fn in_vain(&self) -> u32 {
        self.in_vain
    }

    /// Whether it is suspected to be the reason why its workers vanish.
    #[must_use]
    pub const fn suspect(&self) -> bool {
        self.in_vain >= SUSPECT
    }

    /// Whether it has ended.
    #[must_use]
    pub const fn ended(&self) -> bool {
        matches!(self.phase, Phase::Completed | Phase::Failed(_) | Phase::Cancelled | Phase::Expired)
    }

    /// Whether it is blocked until a person answers a question or records the outcome of a call.
    #[must_use]
    pub fn waits_for_a_person(&self) -> bool {
        let person = |waiting: &Waiting| matches!(waiting, Waiting::Approval | Waiting::Reconcile);
        matches!(&self.phase, Phase::Waiting(waiting) if waiting.iter().any(person))
    }

    /// Child runs that it waits for.
    pub fn waiting_children(&self) -> impl Iterator<Item = RunId> + '_ {
        self.open_children().filter(|_| matches!(self.phase, Phase::Waiting(_)))
    }

    /// State of a step; `None` if nothing is recorded of it.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&StepState> {
        self.steps.get(id)
    }

    /// Number of executions, skips and questions so far; the step limit applies to it.
    #[must_use]
    pub const fn begun(&self) -> u32 {
        self.begun
    }

    /// When it expires.
    #[must_use]
    pub fn deadline(&self) -> Option<DateTime<Utc>> {
        self.order().map(|order| order.deadline)
    }

    /// What it returned.
    #[must_use]
    pub const fn output(&self) -> Option<&Value> {
        self.output.as_ref()
    }

    /// Tokens billed for its model calls.
    #[must_use]
    pub const fn usage(&self) -> &TokenCount {
        &self.usage
    }

    /// Cost of its model calls in millionths of the price currency's unit, as far as prices are known.
    #[must_use]
    pub const fn cost_micros(&self) -> u64 {
        self.cost_micros
    }

    /// Child runs whose end is not recorded here yet.
    pub fn open_children(&self) -> impl Iterator<Item = RunId> + '_ {
        self.units().filter_map(|(_, _, unit)| match unit {
            Unit::Child { operation } => Some(RunId::from(uuid::Uuid::from(*operation))),
            _ => None,
        })
    }

    /// A call whose outcome is not known yet.
    #[must_use]
    pub fn open_call(&self, operation: OperationId) -> Option<&Call> {
        self.operation(operation).ok().and_then(|(_, unit)| unit.call())
    }

    /// Model calls without an answer; they may be repeated.
    pub fn open_questions(&self) -> impl Iterator<Item = OperationId> + '_ {
        let calls = self.units().filter_map(|(_, _, unit)| unit.call());
        calls.filter(|call| matches!(call.callee, Callee::Model(_))).map(|call| call.operation)
    }

    /// Calls whose outcome is unknown, with their places; each can be settled by a verdict.
    pub fn doubts(&self) -> impl Iterator<Item = (&Place, &Call)> {
        let open = self.open.iter().filter_map(|place| self.unit(place).map(|unit| (place, unit)));
        open.filter(|(_, unit)| self.doubtful(unit)).filter_map(|(place, unit)| unit.call().map(|call| (place, call)))
    }

    /// Whether the outcome of a call is unknown: either this is recorded, or the run ended during a call that must not
    /// be repeated.
    #[must_use]
    pub const fn doubtful(&self, unit: &Unit) -> bool {
        match unit {
            Unit::InDoubt(_) => true,
            Unit::Calling(call) => self.ended() && !call.repeatable(),
            _ => false,
        }
    }

    /// Refuses while the outcome of a call is unknown, because repeating the run might repeat that call's effect.
    ///
    /// # Errors
    /// When a call is in doubt.
    pub fn certain(&self) -> Result<(), RunError> {
        let doubts: Vec<OperationId> = self.doubts().map(|(_, call)| call.operation).collect();
        if doubts.is_empty() { Ok(()) } else { Err(RunError::InDoubt(doubts)) }
    }

    /// Calls that must not be repeated if the run goes no further: those in doubt, and unsafe ones in progress.
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

    /// Executions of a step that have begun and not ended.
    pub(super) fn open_at(&self, step: &str) -> impl Iterator<Item = (&Place, &Unit)> {
        at_step(&self.open, step).filter_map(|place| self.unit(place).map(|unit| (place, unit)))
    }

    /// The failure of the first execution of a step that failed.
    pub(super) fn failure_at(&self, step: &str) -> Option<&Failure> {
        at_step(&self.failed, step).find_map(|place| match self.unit(place) {
            Some(Unit::Failed(failure)) => Some(failure),
            _ => None,
        })
    }

    /// State of one execution.
    #[must_use]
    pub fn unit(&self, place: &Place) -> Option<&Unit> {
        match (self.steps.get(&place.step)?, place.index) {
            (StepState::Once(unit), None) => Some(unit),
            (StepState::Each { units, .. }, Some(index)) => units.get(&index),
            _ => None,
        }
    }

    /// Place and state of the call of an operation.
    pub(super) fn operation(&self, operation: OperationId) -> Result<(&Place, &Unit), RunError> {
        let place = self.operations.get(&operation).ok_or(RunError::OperationUnknown)?;
        self.unit(place).map(|unit| (place, unit)).ok_or(RunError::OperationUnknown)
    }

    /// Refuses every fence but the current one, and all of them once the run has ended.
    pub(super) const fn held(&self, fence: u64) -> Result<(), RunError> {
        match self.phase {
            Phase::Unknown => Err(RunError::Unknown),
            _ if self.ended() => Err(RunError::Ended),
            _ if self.fence != fence => Err(RunError::Superseded),
            _ => Ok(()),
        }
    }

    /// Refuses if decisions from outside are no longer possible.
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
