//! The turns of an assistant's run: an answer of the model, and the results of the calls it requested.
//!
//! Turn 3 is the step `turn_3`, and its calls are the elements of the step `turn_3_tools`. A summary made before it is
//! the step `turn_3_summary`; if that one is unusable, the step `turn_3_longer_summary`. A summary made because the
//! prompt of turn 3 was too long has `overflow` in its name.

use std::sync::Arc;

use super::{
    model_event::{ContextCompacted, Leaving, ModelAnswered, Unsummarised},
    run::Run,
    state::{StepState, Unit},
    values::Place,
};
use crate::{assistant::Assistant, conversation::Finish, workflow::StepId};

/// Suffix of the step of a turn's calls.
pub(super) const TOOLS: &str = "_tools";
/// Prefix of every step of a turn.
const TURN: &str = "turn_";
/// Suffix of the step of a summary.
pub(super) const SUMMARY: &str = "_summary";

/// The step in which the model answers a turn, from 1.
#[must_use]
pub fn turn_step(turn: u32) -> StepId {
    format!("{TURN}{turn}")
}

/// The step whose elements are the calls of a turn.
#[must_use]
pub fn tools_step(turn: u32) -> StepId {
    format!("{TURN}{turn}{TOOLS}")
}

/// The steps that summarise what is removed before a turn: the first attempt, and one with a higher limit.
pub(super) fn summary_tries(turn: u32, cause: Leaving) -> [StepId; 2] {
    let overflow = match cause {
        Leaving::Window => "",
        Leaving::Overflow => "_overflow",
    };
    ["", "_longer"].map(|longer| format!("{TURN}{turn}{overflow}{longer}{SUMMARY}"))
}

/// Every step that may summarise what is removed before a turn.
#[must_use]
pub fn summary_steps(turn: u32) -> Vec<StepId> {
    [Leaving::Window, Leaving::Overflow].into_iter().flat_map(|cause| summary_tries(turn, cause)).collect()
}

/// A summary requested from the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SummaryWanted {
    /// The first turn to remove.
    pub from: u32,
    /// The last turn to remove.
    pub through: u32,
    /// Maximum number of tokens of the summary.
    pub max_output_tokens: u32,
}

/// Minimum token limit of a summary, whatever the limit of an answer is: it replaces many answers.
const SUMMARY_TOKENS: u32 = 2_048;
/// Factor by which the limit is raised after a summary was cut off.
const LONGER: u32 = 4;
/// Failure code of a prompt that exceeds the model's context window.
pub const CONTEXT_OVERFLOW: &str = "model.context_overflow";

impl Run {
    /// How many turns have begun.
    #[must_use]
    pub const fn turns(&self) -> u32 {
        self.turns
    }

    /// Updates the turn count after an event at a step; counting all turns would cost more with each.
    pub(super) fn count_turns(&mut self, step: &str) {
        if !step.starts_with(TURN) {
            return;
        }
        while self.steps.contains_key(&turn_step(self.turns.saturating_add(1))) {
            self.turns += 1;
        }
    }

    /// The model's answer at a step, if there is one yet.
    #[must_use]
    pub fn answer(&self, step: &str) -> Option<&Arc<ModelAnswered>> {
        match self.steps.get(step)? {
            StepState::Once(Unit::Answered(answer)) => Some(answer),
            _ => None,
        }
    }

    /// State of one of the calls of a turn.
    #[must_use]
    pub fn call(&self, turn: u32, index: u32) -> Option<&Unit> {
        self.unit(&Place::element(&tools_step(turn), index))
    }

    /// Why the answer of a turn was rejected, if it was.
    #[must_use]
    pub fn rejection(&self, turn: u32) -> Option<&[String]> {
        self.rejected.get(&turn_step(turn)).map(Vec::as_slice)
    }

    /// Number of final answers that were rejected.
    #[must_use]
    pub fn rejections(&self) -> usize {
        self.rejected.len()
    }

    /// The latest compaction, if there was one.
    #[must_use]
    pub const fn compaction(&self) -> Option<&ContextCompacted> {
        self.compacted.as_ref()
    }

    /// The summary that replaces the removed turns, if any.
    #[must_use]
    pub fn summary(&self) -> Option<&str> {
        let place = self.operations.get(&self.compacted.as_ref()?.summary?)?;
        self.answer(&place.step).map(|answer| answer.text.as_str())
    }

    /// The first and last turn to remove before the next turn; `None` if all may stay.
    ///
    /// They are removed in bulk, down to half of the window, so that most prompts begin like the one before and hit the
    /// provider's cache.
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

    /// The first and last turn to remove if the current prompt turns out to be too long: half of those that are not
    /// pinned. `None` if there are fewer than two.
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

    /// Whether the prompt at a place may be sent again with fewer turns if it turns out to be too long: it is not a
    /// summary, was not shortened before, and there are turns to remove.
    #[must_use]
    pub fn can_shorten(&self, assistant: &Assistant, place: &Place) -> bool {
        self.asks_in_full(place) && self.spare(assistant).is_some()
    }

    /// Whether a place is a turn whose prompt has not been shortened.
    pub(super) fn asks_in_full(&self, place: &Place) -> bool {
        let call = self.unit(place).and_then(Unit::call);
        !place.step.ends_with(SUMMARY) && call.is_some_and(|call| !call.overflowed)
    }

    /// What is to be summarised at a step, if it is a summary step.
    #[must_use]
    pub fn summary_wanted(&self, assistant: &Assistant, step: &str) -> Option<SummaryWanted> {
        let (turn, cause) =
            if self.overflowed { (self.turns(), Leaving::Overflow) } else { (self.turns() + 1, Leaving::Window) };
        // Check the name first: most steps are not summaries, and computing what to remove visits every turn.
        let longer = summary_tries(turn, cause).iter().position(|known| known == step)? > 0;
        let (from, through) = match cause {
            Leaving::Overflow => self.spare(assistant),
            Leaving::Window => self.overflow(assistant),
        }?;
        let least = assistant.max_output_tokens.max(SUMMARY_TOKENS);
        let max_output_tokens = if longer { least.saturating_mul(LONGER) } else { least };
        Some(SummaryWanted { from, through, max_output_tokens })
    }

    /// The first turn that may be removed.
    fn first_live(&self, assistant: &Assistant) -> u32 {
        self.compacted.as_ref().map_or(assistant.context.pinned_turns, |compacted| compacted.through) + 1
    }

    /// How many of the latest turns to keep if those from `first` on exceed `most` tokens.
    fn kept(&self, first: u32, done: u32, most: u64) -> Option<u32> {
        let sizes = self.sizes(first, done);
        (sizes.iter().sum::<u64>() > most).then(|| fitting(&sizes, most / 2))
    }

    /// Approximate tokens of each turn, the latest first.
    fn sizes(&self, first: u32, done: u32) -> Vec<u64> {
        (first..=done).rev().map(|turn| self.tokens(turn)).collect()
    }

    /// Approximate tokens of a turn: a quarter of its bytes.
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

/// Maximum bytes of provider data that are kept with an answer.
pub const MAX_CARRY: usize = 256 * 1024;

/// How many leading sizes fit into `most` together; at least one.
fn fitting(sizes: &[u64], most: u64) -> u32 {
    let mut sum = 0_u64;
    let fitting = sizes.iter().take_while(|size| {
        sum = sum.saturating_add(**size);
        sum <= most
    });
    u32::try_from(fitting.count()).unwrap_or(u32::MAX).max(1)
}

/// Maximum bytes of a tool's result that a model sees; the whole value stays in the run.
pub const MAX_SHOWN: usize = 64 * 1024;

impl ModelAnswered {
    /// Why the answer is unusable as a summary, if it is: a summary must be complete and not empty.
    pub(super) fn no_summary(&self) -> Option<Unsummarised> {
        match self.finish {
            Finish::Length => Some(Unsummarised::Truncated),
            Finish::Refused => Some(Unsummarised::Refused),
            Finish::Stop if !self.text.trim().is_empty() => None,
            Finish::Stop | Finish::ToolCalls => Some(Unsummarised::Empty),
        }
    }

    /// Approximate bytes it adds to the run's values.
    pub(super) fn bytes(&self) -> usize {
        let calls = self.calls.iter().map(|call| call.id.len() + call.name.len() + call.arguments.measure().bytes);
        let carried = self.carry.as_ref().map_or(0, |carry| carry.measure().bytes);
        self.text.len() + calls.sum::<usize>() + carried
    }
}
