//! The next action of a run: a pure function of its state, its definition and the time.

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
    /// It fails.
    Failed(Failure),
    /// Cancellation was requested.
    Cancelled,
    /// Its deadline passed.
    Expired,
}

/// One thing a worker can begin.
#[derive(Debug, Clone, PartialEq)]
pub enum Task<'w> {
    /// Evaluate a step for the first time: its condition, its elements and, if it runs once, its action.
    Enter {
        /// The step.
        step: &'w Step,
    },
    /// Run a step for one element.
    Element {
        /// The step.
        step: &'w Step,
        /// The element's index.
        index: u32,
        /// The elements.
        items: Arc<Vec<Json>>,
    },
    /// Ask the model for a turn.
    Prompt {
        /// Where in the run.
        place: Place,
    },
    /// Ask the model to summarise the turns that are about to be removed.
    Summarise {
        /// Where in the run.
        place: Place,
        /// First turn to remove.
        from: u32,
        /// Last turn to remove.
        through: u32,
    },
    /// Remove turns from what the model sees.
    Compact {
        /// Where a summary of them is, or would be.
        place: Place,
        /// First turn to remove.
        from: u32,
        /// Last turn to remove.
        through: u32,
        /// The model call whose answer summarises them.
        summary: Option<OperationId>,
        /// Why they are removed.
        cause: Leaving,
        /// Why there is no summary, although the agent asks for one.
        unsummarised: Option<Unsummarised>,
    },
    /// Check a call the model requests: whether it can be made, and whether it needs approval.
    Use {
        /// Where in the run.
        place: Place,
        /// The call.
        call: ToolCall,
    },
    /// Make a call that a person approved.
    Perform {
        /// Where in the run.
        place: Place,
        /// The call.
        proposal: Proposal,
    },
    /// Record that a question expired.
    Expire {
        /// Where in the run.
        place: Place,
        /// The approval.
        approval: ApprovalId,
    },
    /// Repeat a call: its retry is due, or its worker vanished and it may be repeated.
    Again {
        /// Where in the run.
        place: Place,
        /// The call.
        operation: OperationId,
    },
    /// Record that the outcome of a call is unknown: its worker vanished and it must not be repeated.
    Lose {
        /// Where in the run.
        place: Place,
        /// The call.
        operation: OperationId,
    },
}

impl Task<'_> {
    /// The place of the execution.
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

/// The next action of a run's holder.
#[derive(Debug, Clone, PartialEq)]
pub enum Next<'w> {
    /// Nothing: the run has ended.
    Rest,
    /// End the run.
    Finish(Ending),
    /// Every step is settled, or the model gave its final answer: compute the output and complete the run.
    Conclude,
    /// Begin these tasks; never empty, and never more than the definition's concurrency allows.
    Begin(Vec<Task<'w>>),
    /// Wait for the tasks in progress.
    Attend {
        /// When to call [`next`] again at the latest, because a call becomes due.
        until: DateTime<Utc>,
    },
    /// Nothing is in progress: wait for an event or for a point in time.
    Wait {
        /// What to wait for.
        waiting: BTreeSet<Waiting>,
        /// When to call [`next`] again at the latest.
        until: DateTime<Utc>,
    },
}

/// The next action of a run's holder; `busy` is what it has in progress.
///
/// A recorded call that is not in progress was left by a worker that vanished.
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
