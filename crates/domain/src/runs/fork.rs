//! Runs based on another run, which stays unchanged: a retry repeats it, a fork continues from one of its steps.

use chrono::{DateTime, Utc};

use super::{
    error::RunError,
    event::RunEvent,
    fork_event::{RunForked, RunRetried},
    model_event::AnswerRejected,
    run::{MAX_STATE, Run},
    state::StepState,
    turns::{summary_steps, tools_step, turn_step},
    values::Order,
};
use crate::{
    assistant::Assistant,
    definition::Definition,
    kernel::{Aggregate, Decision, Version, ids::RunId},
    workflow::{Action, Step, StepId, Workflow},
};

/// The point at which a fork leaves another run.
#[derive(Debug, Clone, Copy)]
pub struct Fork<'a> {
    /// The other run.
    pub from: RunId,
    /// Version of the other run when it was read.
    pub from_version: Version,
    /// The first step that the fork executes itself.
    pub step: &'a str,
    /// The definition of the other run.
    pub old: &'a Definition,
    /// The definition of the fork.
    pub new: &'a Definition,
}

impl Run {
    /// Requests a run that repeats this one from the beginning.
    ///
    /// # Errors
    /// When this run has not ended, the outcome of one of its calls is unknown, or the new run cannot be requested.
    pub fn retry(&self, id: RunId, order: &Order, at: DateTime<Utc>) -> Decision<Self> {
        if !self.ended() {
            return Err(RunError::NotEnded);
        }
        self.certain()?;
        let mut events = Self::default().queue(order, at)?;
        events.push(RunRetried { of: id }.into());
        Ok(events)
    }

    /// Requests a run that takes over what this one did before a step. A run of an assistant must be folded up to that
    /// step ([`begins`]). From a run of a workflow, every settled step that does not depend on the step is taken over.
    ///
    /// # Errors
    /// When there is no such step, the run has not reached it, an earlier step differs in the other version, or the new
    /// run cannot be requested.
    pub fn fork(&self, fork: &Fork<'_>, order: &Order, at: DateTime<Utc>) -> Decision<Self> {
        let taken = match (fork.old, fork.new) {
            (Definition::Workflow(old), Definition::Workflow(new)) => self.settled_before(old, new, fork.step)?,
            (Definition::Assistant(old), Definition::Assistant(new)) => self.said_before(old, new, fork.step)?,
            _ => return Err(RunError::StepsDiffer(vec![fork.step.to_owned()])),
        };
        let mut events = Self::default().queue(order, at)?;
        let Fork { from, from_version, .. } = *fork;
        events.push(RunForked { from, from_version, step: fork.step.to_owned() }.into());
        events.extend(taken);
        if Self::default().evolved(&events).bytes > MAX_STATE {
            return Err(RunError::InputTooLarge);
        }
        Ok(events)
    }

    fn settled_before(&self, old: &Workflow, new: &Workflow, step: &str) -> Result<Vec<RunEvent>, RunError> {
        if new.step(step).is_none() {
            return Err(RunError::StepUnknown(step.to_owned()));
        }
        let settled = |id: &str| self.step(id).is_some_and(StepState::settled);
        if new.ancestors(step).iter().any(|need| old.step(need).is_some() && !settled(need)) {
            return Err(RunError::StepNotReached(step.to_owned()));
        }
        let follows = |workflow: &Workflow, id: &str| id == step || workflow.ancestors(id).contains(step);
        let before = old.steps.iter().filter(|it| settled(&it.id) && !follows(old, &it.id) && !follows(new, &it.id));
        let before: Vec<&Step> = before.collect();
        let other = before.iter().filter(|it| !same(old, new, it)).map(|it| it.id.clone());
        let other: Vec<StepId> = other.collect();
        if !other.is_empty() {
            return Err(RunError::StepsDiffer(other));
        }
        Ok(before.into_iter().filter_map(|it| self.taken(&it.id)).collect())
    }

    fn said_before(&self, old: &Assistant, new: &Assistant, step: &str) -> Result<Vec<RunEvent>, RunError> {
        let (turn, kind) = turn_of(step).ok_or_else(|| RunError::StepUnknown(step.to_owned()))?;
        let done = if kind == Part::Calls { turn } else { turn - 1 };
        let of_turn = |turn| summary_steps(turn).into_iter().chain([turn_step(turn), tools_step(turn)]);
        let mut before: Vec<StepId> = (1..=done).flat_map(of_turn).filter(|id| id != step).collect();
        let over = before.iter().all(|id| self.step(id).is_none_or(StepState::over));
        let called = kind != Part::Calls || self.step(step).is_some();
        if self.turns() != done || !over || !called || !self.goes_on() {
            return Err(RunError::StepNotReached(step.to_owned()));
        }
        let missing: Vec<StepId> =
            (1..=done).filter(|turn| self.misses_tools(*turn, old, new)).map(turn_step).collect();
        if !missing.is_empty() {
            return Err(RunError::StepsDiffer(missing));
        }
        let summaries = summary_steps(turn).into_iter().filter(|id| kind == Part::Answer && self.answer(id).is_some());
        before.extend(summaries);
        let mut events: Vec<RunEvent> = before.iter().filter_map(|id| self.taken(id)).collect();
        let rejected = self.rejected.iter().filter(|(step, _)| before.contains(step));
        events.extend(
            rejected.map(|(step, errors)| AnswerRejected { step: step.clone(), errors: errors.clone() }.into()),
        );
        events.extend(self.compacted.clone().map(RunEvent::from));
        Ok(events)
    }

    /// Whether the latest answer is followed by anything: tool calls, or another attempt.
    fn goes_on(&self) -> bool {
        let latest = self.answer(&turn_step(self.turns()));
        latest.is_none_or(|answer| !answer.calls.is_empty()) || self.rejection(self.turns()).is_some()
    }

    /// Whether a tool that the model called in a turn is missing from the other version: models refuse conversations
    /// that mention tools they were not given. Calls of tools that never existed do not count.
    fn misses_tools(&self, turn: u32, old: &Assistant, new: &Assistant) -> bool {
        let called = self.answer(&turn_step(turn)).into_iter().flat_map(|answer| &answer.calls);
        called.map(|call| &call.name).any(|name| old.tools.contains_key(name) && !new.tools.contains_key(name))
    }
}

/// Whether an event is the beginning of a step.
#[must_use]
pub fn begins(event: &RunEvent, step: &str) -> bool {
    let place = match event {
        RunEvent::ModelCalled(called) => &called.place,
        RunEvent::ToolCalled(called) => &called.place,
        RunEvent::ChildRequested(asked) => &asked.place,
        RunEvent::ApprovalRequested(asked) => &asked.place,
        RunEvent::StepFailed(failed) => &failed.place,
        _ => return false,
    };
    place.step == step
}

/// Whether a step is the same in two versions of a workflow, its tool included.
fn same(old: &Workflow, new: &Workflow, step: &Step) -> bool {
    let tool = match &step.action {
        Action::Tool { name, .. } => old.tool(name) == new.tool(name),
        Action::Agent { .. } | Action::Approval { .. } => true,
    };
    tool && new.step(&step.id) == Some(step)
}

/// The part of a turn that a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Summary,
    Answer,
    Calls,
}

/// The turn that a step of an assistant's run belongs to, and which part of it the step is.
fn turn_of(step: &str) -> Option<(u32, Part)> {
    let digits: String = step.strip_prefix("turn_")?.chars().take_while(char::is_ascii_digit).collect();
    let turn = digits.parse().ok().filter(|turn| *turn > 0)?;
    match step {
        _ if step == turn_step(turn) => Some((turn, Part::Answer)),
        _ if summary_steps(turn).iter().any(|known| known == step) => Some((turn, Part::Summary)),
        _ if step == tools_step(turn) => Some((turn, Part::Calls)),
        _ => None,
    }
}
