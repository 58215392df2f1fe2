//! What to do next: a pure function of a run's state, its definition and the time.

mod assistant;
mod scene;
mod workflow;

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use scene::Scene;

use super::{
    model_event::{Leaving, Unsummarised},
    run::{Phase, Run},
    state::Proposal,
    value::Value,
    values::{Failure, Place, Waiting},
};
use crate::{
    conversation::ToolCall,
    definition::Definition,
    kernel::{
        Json,
        ids::{ApprovalId, OperationId},
    },
    workflow::Step,
};

/// How a run ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// It returns a value.
    Completed(Value),
    /// It cannot go on.
    Failed(Failure),
    /// Somebody wanted it to stop.
    Cancelled,
    /// Its deadline passed.
    Expired,
}

/// One thing a worker can begin.
#[derive(Debug, Clone, PartialEq)]
pub enum Task<'w> {
    /// Look at a step for the first time: its condition, its elements, and what it does where it runs once.
    Enter {
        /// The step.
        step: &'w Step,
    },
    /// Run a step for one element.
    Element {
        /// The step.
        step: &'w Step,
        /// Which element.
        index: u32,
        /// The elements.
        items: Arc<Vec<Json>>,
    },
    /// Ask the model for a turn.
    Prompt {
        /// Where.
        place: Place,
    },
    /// Ask the model to sum up the turns that are about to leave what it sees.
    Summarise {
        /// Where.
        place: Place,
        /// The first of them.
        from: u32,
        /// The last.
        through: u32,
    },
    /// Let turns leave what the model sees.
    Compact {
        /// Where a summary of them is, or would be.
        place: Place,
        /// The first.
        from: u32,
        /// The last.
        through: u32,
        /// The model call whose answer sums them up.
        summary: Option<OperationId>,
        /// What makes them leave.
        cause: Leaving,
        /// Why nothing sums them up, although the agent wants it.
        unsummarised: Option<Unsummarised>,
    },
    /// Look at a call the model wants: whether it can be made, and whether a person is asked before.
    Use {
        /// Where.
        place: Place,
        /// The call.
        call: ToolCall,
    },
    /// Make a call a person approved of.
    Perform {
        /// Where.
        place: Place,
        /// The call.
        proposal: Proposal,
    },
    /// Note that nobody answered a question in time.
    Expire {
        /// Where.
        place: Place,
        /// Which question.
        approval: ApprovalId,
    },
    /// Make a call again: it is due, or its worker vanished and it may be repeated.
    Again {
        /// Where.
        place: Place,
        /// Which call.
        operation: OperationId,
    },
    /// Admit that nobody knows what became of a call: its worker vanished and it must not be repeated.
    Lose {
        /// Where.
        place: Place,
        /// Which call.
        operation: OperationId,
    },
}

impl Task<'_> {
    /// Where it happens.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::Enter { step } => Place::step(&step.id),
            Self::Element { step, index, .. } => Place::element(&step.id, *index),
            Self::Prompt { place }
            | Self::Summarise { place, .. }
            | Self::Compact { place, .. }
            | Self::Use { place, .. }
            | Self::Perform { place, .. }
            | Self::Expire { place, .. }
            | Self::Again { place, .. }
            | Self::Lose { place, .. } => place.clone(),
        }
    }
}

/// What the holder of a run does next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next<'w> {
    /// Nothing, ever: the run has ended.
    Rest,
    /// End the run.
    Finish(Ending),
    /// Every step is settled, or the model has said its last: compute the output and end the run with it.
    Conclude,
    /// Begin these; never empty, and never more than the definition's concurrency leaves room for.
    Begin(Vec<Task<'w>>),
    /// Wait for what is under way; `until` is when a call becomes due in between.
    Attend {
        /// When to ask again at the latest.
        until: DateTime<Utc>,
    },
    /// Nothing is under way: wait for something to happen, or for a point in time.
    Wait {
        /// What for.
        waiting: BTreeSet<Waiting>,
        /// When to ask again at the latest.
        until: DateTime<Utc>,
    },
}

/// What the holder of a run does next; `busy` is what it has under way.
///
/// A call that is recorded but not under way was left by a worker that vanished.
#[must_use]
pub fn next<'d>(run: &Run, definition: &'d Definition, now: DateTime<Utc>, busy: &BTreeSet<Place>) -> Next<'d> {
    let Some(deadline) = run.deadline().filter(|_| !run.ended()) else { return Next::Rest };
    if *run.phase() == Phase::Cancelling {
        return Next::Finish(Ending::Cancelled);
    }
    if deadline <= now {
        return Next::Finish(Ending::Expired);
    }
    let scene = Scene { run, now, deadline, busy };
    match definition {
        Definition::Workflow(workflow) => workflow::next(&scene, workflow),
        Definition::Assistant(assistant) => assistant::next(&scene, assistant),
    }
}
