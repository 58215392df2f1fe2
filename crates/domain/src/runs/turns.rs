//! The turns of an assistant's run: an answer of the model, and everything that came of the calls it wanted.
//!
//! Turn 3 is the step `turn_3`, its calls are the elements of the step `turn_3_tools`, and a summary made before it is the
//! step `turn_3_summary`.

use std::sync::Arc;

use super::{
    model_event::{ContextCompacted, ModelAnswered},
    run::Run,
    state::{StepState, Unit},
    values::Place,
};
use crate::{assistant::Assistant, workflow::StepId};

/// What the step of a turn's calls is named after its turn.
pub(super) const TOOLS: &str = "_tools";
/// What the name of a turn's step begins with.
const TURN: &str = "turn_";
/// What the step of a summary is named after its turn.
pub(super) const SUMMARY: &str = "_summary";

/// The step in which the model is asked for a turn, from 1.
#[must_use]
pub fn turn_step(turn: u32) -> StepId {
    format!("{TURN}{turn}")
}

/// The step whose elements are the calls of a turn.
#[must_use]
pub fn tools_step(turn: u32) -> StepId {
    format!("{TURN}{turn}{TOOLS}")
}

/// The step in which the model sums up what leaves before a turn.
#[must_use]
pub fn summary_step(turn: u32) -> StepId {
    format!("{TURN}{turn}{SUMMARY}")
}

impl Run {
    /// How many turns have begun.
    #[must_use]
    pub const fn turns(&self) -> u32 {
        self.turns
    }

    /// Counts the turns again after something happened at a step; looking for all of them would cost more with each.
    pub(super) fn count_turns(&mut self, step: &str) {
        if !step.starts_with(TURN) {
            return;
        }
        while self.steps.contains_key(&turn_step(self.turns.saturating_add(1))) {
            self.turns += 1;
        }
    }

    /// What the model answered at a step, once it has.
    #[must_use]
    pub fn answer(&self, step: &str) -> Option<&Arc<ModelAnswered>> {
        match self.steps.get(step)? {
            StepState::Once(Unit::Answered(answer)) => Some(answer),
            _ => None,
        }
    }

    /// How far one of the calls of a turn has come.
    #[must_use]
    pub fn call(&self, turn: u32, index: u32) -> Option<&Unit> {
        self.unit(&Place::element(&tools_step(turn), index))
    }

    /// Why the answer of a turn was not accepted, where it was not.
    #[must_use]
    pub fn rejection(&self, turn: u32) -> Option<&[String]> {
        self.rejected.get(&turn_step(turn)).map(Vec::as_slice)
    }

    /// How many last answers were not accepted.
    #[must_use]
    pub fn rejections(&self) -> usize {
        self.rejected.len()
    }

    /// What left what the model sees, where anything did.
    #[must_use]
    pub const fn compaction(&self) -> Option<&ContextCompacted> {
        self.compacted.as_ref()
    }

    /// The text that stands for the turns that left, where one does.
    #[must_use]
    pub fn summary(&self) -> Option<&str> {
        let place = self.operations.get(&self.compacted.as_ref()?.summary?)?;
        self.answer(&place.step).map(|answer| answer.text.as_str())
    }

    /// The turns that have to leave before the next, first and last; `None` while all may stay.
    ///
    /// They leave in bulk, down to half of the window, so that most model calls see the beginning they saw before, which
    /// providers keep in a cache.
    #[must_use]
    pub fn overflow(&self, assistant: &Assistant) -> Option<(u32, u32)> {
        let (policy, done) = (&assistant.context, self.turns());
        let first = self.compacted.as_ref().map_or(policy.pinned_turns, |compacted| compacted.through) + 1;
        if first >= done {
            return None;
        }
        let live = done + 1 - first;
        let by_turns = policy.window_turns.filter(|most| live > *most).map(|most| (most / 2).max(1));
        let by_tokens = policy.window_tokens.and_then(|most| self.kept(first, done, most.into()));
        let keep = by_turns.into_iter().chain(by_tokens).min()?;
        Some((first, done - keep))
    }

    /// How many of the latest turns to keep when those from `first` on are more than so many tokens.
    fn kept(&self, first: u32, done: u32, most: u64) -> Option<u32> {
        let sizes: Vec<_> = (first..=done).rev().map(|turn| self.tokens(turn)).collect();
        if sizes.iter().sum::<u64>() <= most {
            return None;
        }
        let mut sum = 0;
        let fitting = sizes.iter().take_while(|size| {
            sum += **size;
            sum <= most / 2
        });
        u32::try_from(fitting.count()).ok().map(|kept| kept.max(1))
    }

    /// About how many tokens a turn is: a quarter of its bytes.
    fn tokens(&self, turn: u32) -> u64 {
        let answer = self.answer(&turn_step(turn)).map_or(0, |answer| answer.bytes());
        let results = self.steps.get(&tools_step(turn)).into_iter().flat_map(StepState::units);
        let results = results.map(|(_, unit)| match unit {
            Unit::Succeeded(result) => result.measure().bytes.min(MAX_SHOWN),
            _ => 100,
        });
        ((answer + results.sum::<usize>()) / 4) as u64
    }
}

/// Most bytes of what a provider wants back word for word that are kept with an answer.
pub const MAX_CARRY: usize = 256 * 1024;
/// Most bytes of a tool's result that a model is shown; the whole value stays in the run.
pub const MAX_SHOWN: usize = 64 * 1024;

impl ModelAnswered {
    /// About how many bytes of the run's values it is.
    pub(super) fn bytes(&self) -> usize {
        let calls = self.calls.iter().map(|call| call.id.len() + call.name.len() + call.arguments.measure().bytes);
        let carried = self.carry.as_ref().map_or(0, |carry| carry.measure().bytes);
        self.text.len() + calls.sum::<usize>() + carried
    }
}
