//! Runs: one execution of one agent version on one input.
//!
//! A run's state is the fold of its events, and the next action is a pure function of that state ([`next`]), so any
//! worker can resume a run at any point. Only the holder of the current fence may append to a run, and a terminal state
//! is final.

mod allowance;
mod apply;
mod approval_event;
mod decisions;
mod error;
mod event;
mod excerpt;
mod fork;
mod fork_event;
mod invariants;
mod life;
mod model_event;
mod next;
mod progress;
mod record;
mod run;
mod state;
mod takeover;
#[cfg(test)]
mod tests;
mod turns;
mod value;
mod values;

pub use allowance::{Allowance, Spent};
pub use approval_event::{
    ApprovalDecided, ApprovalExpired, ApprovalRequested, ProposedCall, StepApprovalDecided, StepApprovalRequested,
};
pub use error::RunError;
pub use event::{
    CancelRequested, ChildEnded, ChildRequested, OutcomeSettled, OutcomeUnknown, RunCancelled, RunClaimed,
    RunCompleted, RunEvent, RunExpired, RunFailed, RunParked, RunQueued, StepExpanded, StepFailed, StepSkipped,
    ToolCalled, ToolFailed, ToolSucceeded,
};
pub use fork::{Fork, begins};
pub use fork_event::{ElementEnd, RunForked, RunRetried, StepTakenOver, TakenOver};
pub use invariants::{Breach, Invariant, Invariants};
pub use model_event::{
    AnswerRejected, Bill, ContextCompacted, Leaving, ModelAnswered, ModelCalled, ModelFailed, UnpricedAnswer,
    Unsummarised,
};
pub use next::{Ending, Next, Task, next};
pub use progress::{Progress, Reply};
pub use run::{MAX_ANCESTORS, MAX_IN_VAIN, MAX_STATE, MAX_VALUE, Phase, Run};
pub use state::{Call, Callee, Proposal, StepState, Unit};
pub use turns::{CONTEXT_OVERFLOW, MAX_CARRY, MAX_SHOWN, SummaryWanted, summary_steps, tools_step, turn_step};
pub use value::{MAX_INLINE, MAX_PREVIEW, NoHash, ResultHash, StoredResult, Value};
pub use values::{ChildEnd, Choice, Decided, Edit, Failure, Order, Origin, Parent, Place, Priority, Verdict, Waiting};
