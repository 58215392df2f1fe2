//! The turns of an assistant's run: an answer of the model, and everything that came of the calls it wanted.
//!
//! Turn 3 is the step `turn_3`, its calls are the elements of the step `turn_3_tools`, and a summary made before it is the
//! step `turn_3_summary`; where that one cannot stand for anything, the step `turn_3_longer_summary`. What is summed up because
//! the question of turn 3 was too long has `overflow` in its name.

use std::sync::Arc;

use super::{
    model_event::{ContextCompacted, Leaving, ModelAnswered, Unsummarised},
    run::Run,
    state::{StepState, Unit},
    values::Place,
};
use crate::{assistant::Assistant, conversation::Finish, workflow::StepId};

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

/// The steps in which the model sums up what leaves before a turn: the first try, and another one with more room.
pub(super) fn summary_tries(turn: u32, cause: Leaving) -> [StepId; 2] {
    let overflow = match cause {
        Leaving::Window => "",
        Leaving::Overflow => "_overflow",
    };
    ["", "_longer"].map(|longer| format!("{TURN}{turn}{overflow}{longer}{SUMMARY}"))
}

/// Every step in which the model may sum up what leaves before a turn.
#[must_use]
pub fn summary_steps(turn: u32) -> Vec<StepId> {
    [Leaving::Window, Leaving::Overflow].into_iter().flat_map(|cause| summary_tries(turn, cause)).collect()
}

/// A summary the model is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SummaryWanted {
    /// The first turn that leaves.
    pub from: u32,
    /// The last.
    pub through: u32,
    /// Most tokens of the summary.
    pub max_output_tokens: u32,
}

/// Tokens that a summary may have at least, whatever an answer may: it stands for many of them.
const SUMMARY_TOKENS: u32 = 2_048;
/// How much more a summary may have that was cut off.
const LONGER: u32 = 4;
/// The code of a failure that says that a question is longer than whoever was asked reads.
pub const CONTEXT_OVERFLOW: &str = "model.context_overflow";

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
        let first = self.first_live(assistant);
        if first >= done {
            return None;
        }
        let live = done + 1 - first;
        let by_turns = policy.window_turns.filter(|most| live > *most).map(|most| (most / 2).max(1));
        let by_tokens = policy.window_tokens.and_then(|most| self.kept(first, done, most.into()));
        let keep = by_turns.into_iter().chain(by_tokens).min()?;
        Some((first, done - keep))
    }

    /// The turns that leave where the question that is asked now turns out to be too long, first and last: half of what is
    /// not pinned. `None` while there are not two of them.
    #[must_use]
    pub fn spare(&self, assistant: &Assistant) -> Option<(u32, u32)> {
        let (first, done) = (self.first_live(assistant), self.turns().saturating_sub(1));
        if first >= done {
            return None;
        }
        let sizes: Vec<_> = self.sizes(first, done);
        let keep = fitting(&sizes, sizes.iter().sum::<u64>() / 2).min(done - first);
        Some((first, done - keep))
    }

    /// Whether the question at a place may be asked once more with fewer turns, if it turns out to be too long: it is no
    /// summary, no turns have left it for that reason before, and some may.
    #[must_use]
    pub fn can_shorten(&self, assistant: &Assistant, place: &Place) -> bool {
        self.asks_in_full(place) && self.spare(assistant).is_some()
    }

    /// Whether a turn is asked for at a place, from which no turns have left because it was too long.
    pub(super) fn asks_in_full(&self, place: &Place) -> bool {
        let call = self.unit(place).and_then(Unit::call);
        !place.step.ends_with(SUMMARY) && call.is_some_and(|call| !call.overflowed)
    }

    /// What is to be summed up at a step, where it is one for that.
    #[must_use]
    pub fn summary_wanted(&self, assistant: &Assistant, step: &str) -> Option<SummaryWanted> {
        let (turn, cause) =
            if self.overflowed { (self.turns(), Leaving::Overflow) } else { (self.turns() + 1, Leaving::Window) };
        // Most steps are none of these, and what leaves takes a look at every turn.
        let longer = summary_tries(turn, cause).iter().position(|known| known == step)? > 0;
        let (from, through) = match cause {
            Leaving::Overflow => self.spare(assistant),
            Leaving::Window => self.overflow(assistant),
        }?;
        let least = assistant.max_output_tokens.max(SUMMARY_TOKENS);
        let max_output_tokens = if longer { least.saturating_mul(LONGER) } else { least };
        Some(SummaryWanted { from, through, max_output_tokens })
    }

    /// The first turn that may leave.
    fn first_live(&self, assistant: &Assistant) -> u32 {
        self.compacted.as_ref().map_or(assistant.context.pinned_turns, |compacted| compacted.through) + 1
    }

    /// How many of the latest turns to keep when those from `first` on are more than so many tokens.
    fn kept(&self, first: u32, done: u32, most: u64) -> Option<u32> {
        let sizes = self.sizes(first, done);
        (sizes.iter().sum::<u64>() > most).then(|| fitting(&sizes, most / 2))
    }

    /// About how many tokens turns are, the latest first.
    fn sizes(&self, first: u32, done: u32) -> Vec<u64> {
        (first..=done).rev().map(|turn| self.tokens(turn)).collect()
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

/// How many of the first ones are no more than so much together; one at least.
fn fitting(sizes: &[u64], most: u64) -> u32 {
    let mut sum = 0_u64;
    let fitting = sizes.iter().take_while(|size| {
        sum = sum.saturating_add(**size);
        sum <= most
    });
    u32::try_from(fitting.count()).unwrap_or(u32::MAX).max(1)
}

/// Most bytes of a tool's result that a model is shown; the whole value stays in the run.
pub const MAX_SHOWN: usize = 64 * 1024;

impl ModelAnswered {
    /// Why the answer cannot stand for the turns it was to sum up, where it cannot: only what was said to its end, and says
    /// something, can.
    pub(super) fn no_summary(&self) -> Option<Unsummarised> {
        match self.finish {
            Finish::Length => Some(Unsummarised::Truncated),
            Finish::Refused => Some(Unsummarised::Refused),
            Finish::Stop if !self.text.trim().is_empty() => None,
            Finish::Stop | Finish::ToolCalls => Some(Unsummarised::Empty),
        }
    }

    /// About how many bytes of the run's values it is.
    pub(super) fn bytes(&self) -> usize {
        let calls = self.calls.iter().map(|call| call.id.len() + call.name.len() + call.arguments.measure().bytes);
        let carried = self.carry.as_ref().map_or(0, |carry| carry.measure().bytes);
        self.text.len() + calls.sum::<usize>() + carried
    }
}
