//! What a fork takes over from another run, and how that becomes part of the fork's state.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    event::RunEvent,
    fork_event::{ElementEnd, StepTakenOver, TakenOver},
    model_event::ModelAnswered,
    run::Run,
    state::{StepState, Unit},
    turns::TOOLS,
    values::Place,
};
use crate::{conversation::TokenCount, kernel::Json};

impl Run {
    /// A step's result, to be taken over by another run; `None` if the step has not ended.
    pub(super) fn taken(&self, step: &str) -> Option<RunEvent> {
        let result = match self.step(step)? {
            StepState::Skipped => TakenOver::Skipped,
            StepState::Once(Unit::Succeeded(output)) => TakenOver::Output { output: output.clone() },
            StepState::Once(Unit::Answered(answer)) => answer.taken(),
            StepState::Once(_) => return None,
            StepState::Each { items, units } => {
                let ends = units.values().map(|unit| match unit {
                    Unit::Succeeded(output) => Some(ElementEnd::Succeeded { output: output.clone() }),
                    Unit::Failed(error) => Some(ElementEnd::Failed { error: error.clone() }),
                    _ => None,
                });
                let of_model = step.strip_suffix(TOOLS).is_some_and(|turn| self.answer(turn).is_some());
                let items = if of_model { Vec::new() } else { items.as_ref().clone() };
                TakenOver::Elements { items, ends: ends.collect::<Option<_>>()? }
            }
        };
        Some(StepTakenOver { step: step.to_owned(), result }.into())
    }

    pub(super) fn take_over(&mut self, taken: &StepTakenOver) {
        let place = Place::step(&taken.step);
        match &taken.result {
            TakenOver::Skipped => drop(self.steps.insert(taken.step.clone(), StepState::Skipped)),
            TakenOver::Output { output } => {
                self.weigh(output.measure());
                self.put(&place, Unit::Succeeded(output.clone()));
            }
            TakenOver::Elements { items, ends } => self.take_elements(&taken.step, items, ends),
            TakenOver::Answer { operation, text, calls, finish, model, answered_by, carry } => {
                let (operation, text, calls, finish) = (*operation, text.clone(), calls.clone(), *finish);
                let (usage, model, answered_by) = (TokenCount::default(), model.clone(), answered_by.clone());
                self.operations.insert(operation, place);
                self.answered(&ModelAnswered {
                    operation,
                    text,
                    calls,
                    finish,
                    usage,
                    estimated: false,
                    model,
                    answered_by,
                    cost_micros: None,
                    price: None,
                    carry: carry.clone(),
                });
            }
        }
    }

    fn take_elements(&mut self, step: &str, items: &[Json], ends: &[ElementEnd]) {
        items.iter().for_each(|item| self.weigh(item.measure()));
        let fresh = || StepState::Each { items: Arc::new(items.to_vec()), units: BTreeMap::new() };
        self.steps.entry(step.to_owned()).or_insert_with(fresh);
        for (index, end) in (0..).zip(ends) {
            let unit = match end {
                ElementEnd::Succeeded { output } => {
                    self.weigh(output.measure());
                    Unit::Succeeded(output.clone())
                }
                ElementEnd::Failed { error } => Unit::Failed(error.clone()),
            };
            self.put(&Place::element(step, index), unit);
        }
    }
}

impl ModelAnswered {
    fn taken(&self) -> TakenOver {
        let Self { operation, text, calls, finish, model, answered_by, carry, .. } = self.clone();
        TakenOver::Answer { operation, text, calls, finish, model, answered_by, carry }
    }
}
