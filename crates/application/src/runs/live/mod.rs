//! Live deltas of model answers: delivered to subscribers, never recorded.
//!
//! [`LiveRuns`] delivers them within a process. Processes that share a database have a [`LiveRelay`] each, which sends
//! deltas over the [`LiveWire`] to subscribers in other processes. Deltas may be lost, but never repeated or reordered.

mod elsewhere;
mod local;
mod relay;
mod wire;

use devskyy_domain::{
    kernel::ids::{OperationId, RunId},
    workflow::StepId,
};
pub use local::{LiveListener, LiveRuns};
pub use relay::LiveRelay;
pub use wire::{LiveLine, LiveMessage, LiveWire};

/// A piece of a model's answer while it is generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// The step of the model call.
    pub step: StepId,
    /// The model call; its durable event ends the preview.
    pub operation: OperationId,
    /// Number of the attempt.
    pub attempt: u32,
    /// Bytes of the answer before this piece; 0 starts over, and a gap means that pieces were lost.
    pub offset: u64,
    /// The text; empty if everything before it is void.
    pub text: String,
}

impl Delta {
    /// Bytes of the answer up to the end of this piece.
    const fn end(&self) -> u64 {
        self.offset + self.text.len() as u64
    }
}

/// A delta with its order key within the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// The run.
    pub run: RunId,
    /// The claim under which it was produced; deltas of earlier claims are void.
    pub fence: u64,
    /// Greater than for earlier deltas of the same process. Parts of a delta that was split share it.
    pub number: u64,
    /// The delta.
    pub delta: Delta,
}

impl Spoken {
    /// Order key; increases within a run.
    const fn place(&self) -> (u64, u64, u64) {
        (self.fence, self.number, self.delta.offset)
    }

    /// Appends the next delta; returns it if it does not continue this one.
    fn join(&mut self, next: Self) -> Option<Self> {
        let of_one = (self.fence, self.delta.operation, self.delta.attempt)
            == (next.fence, next.delta.operation, next.delta.attempt);
        if of_one && self.delta.end() == next.delta.offset {
            self.delta.text.push_str(&next.delta.text);
            return None;
        }
        Some(next)
    }
}
