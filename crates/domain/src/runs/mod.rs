//! Runs: one execution of one agent version on one input.
//!
//! A run's state is the fold of its events; what to do next is a pure function of that state ([`next`]), so a run can be
//! taken up by any worker at any point. Only the holder of the current fence adds to a run, and a terminal state is
//! final.

mod apply;
mod error;
mod event;
mod life;
mod next;
mod progress;
mod run;
mod state;
#[cfg(test)]
mod tests;
mod values;

pub use error::RunError;
pub use event::{
    ApprovalDecided, ApprovalRequested, CancelRequested, ChildEnded, ChildRequested, OutcomeSettled, OutcomeUnknown,
    RunCancelled, RunClaimed, RunCompleted, RunEvent, RunExpired, RunFailed, RunParked, RunQueued, StepExpanded,
    StepFailed, StepSkipped, ToolCalled, ToolFailed, ToolSucceeded,
};
pub use next::{Ending, Next, Task, next};
pub use progress::Progress;
pub use run::{MAX_ANCESTORS, MAX_STATE, MAX_VALUE, Phase, Run};
pub use state::{Call, StepState, Unit};
pub use values::{ChildEnd, Choice, Failure, Order, Parent, Place, Priority, Verdict, Waiting};
