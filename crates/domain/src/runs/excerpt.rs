//! The part of a run that reports are about, so that the cost of recording does not grow with the length of the run.

use super::{progress::Progress, run::Run, state::StepState, turns::TOOLS, values::Place};
use crate::kernel::ids::OperationId;

impl Run {
    /// The part of the run that is needed to check these reports one after the other.
    pub(super) fn excerpt(&self, reports: &[Progress]) -> Self {
        let mut part = Self {
            phase: self.phase.clone(),
            order: self.order.clone(),
            fence: self.fence,
            begun: self.begun,
            bytes: self.bytes,
            usage: self.usage,
            cost_micros: self.cost_micros,
            below: self.below,
            ..Self::default()
        };
        reports.iter().for_each(|report| part.take_along(self, report));
        part
    }

    fn take_along(&mut self, whole: &Self, report: &Progress) {
        match report {
            Progress::Skip { step } | Progress::Expand { step, .. } => self.take_place(whole, &Place::step(step)),
            Progress::Unable { place, .. } | Progress::Ask { place, .. } => self.take_place(whole, place),
            Progress::Call { place, operation, .. }
            | Progress::Delegate { place, operation, .. }
            | Progress::Prompt { place, operation, .. } => {
                self.take_place(whole, place);
                self.take_operation(whole, *operation);
            }
            Progress::Again { operation }
            | Progress::Answer { operation, .. }
            | Progress::Fail { operation, .. }
            | Progress::Waste { operation, .. }
            | Progress::Postpone { operation, .. }
            | Progress::Overflow { operation, .. }
            | Progress::Lose { operation, .. }
            | Progress::Reply { operation, .. } => self.take_operation(whole, *operation),
            Progress::Expire { approval, .. } => {
                let Some(question) = whole.approvals.get(approval) else { return };
                self.approvals.insert(*approval, question.clone());
                self.take_place(whole, &question.place);
            }
            Progress::Reject { step, .. } => {
                self.take_place(whole, &Place::step(step));
                let rejected = whole.rejected.get(step).map(|errors| (step.clone(), errors.clone()));
                self.rejected.extend(rejected);
            }
            Progress::Compact { .. } => {}
        }
    }

    fn take_operation(&mut self, whole: &Self, operation: OperationId) {
        let Some(place) = whole.operations.get(&operation) else { return };
        self.operations.insert(operation, place.clone());
        self.take_place(whole, place);
        // An answer of the model creates the step of its tool calls.
        self.take_place(whole, &Place::step(&format!("{}{TOOLS}", place.step)));
    }

    fn take_place(&mut self, whole: &Self, place: &Place) {
        let Some(state) = whole.steps.get(&place.step) else { return };
        let StepState::Each { items, units } = state else {
            self.steps.insert(place.step.clone(), state.clone());
            return;
        };
        let empty = || StepState::Each { items: items.clone(), units: std::collections::BTreeMap::new() };
        let unit = place.index.and_then(|index| units.get_key_value(&index));
        if let StepState::Each { units, .. } = self.steps.entry(place.step.clone()).or_insert_with(empty) {
            units.extend(unit.map(|(index, unit)| (*index, unit.clone())));
        }
    }
}
