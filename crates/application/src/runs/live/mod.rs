//! What a model is saying right now: heard while somebody listens, and recorded nowhere.
//!
//! [`LiveRuns`] carries it within a process. Processes that share a database have a [`LiveRelay`] each, which hands on, over
//! the [`LiveWire`], what somebody elsewhere listens to. Pieces may be lost on the way. None is told twice or out of order.

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

/// A piece of what a model is saying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// The step in which it is asked.
    pub step: StepId,
    /// Which call; the call's durable event closes the preview.
    pub operation: OperationId,
    /// Which try.
    pub attempt: u32,
    /// Bytes of the answer before this piece; 0 begins anew, and a jump says that pieces were lost.
    pub offset: u64,
    /// The piece; empty where what was said so far is void.
    pub text: String,
}

impl Delta {
    /// Bytes of the answer up to the end of this piece.
    const fn end(&self) -> u64 {
        self.offset + self.text.len() as u64
    }
}

/// A piece with its place among all that is said in its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// In which run.
    pub run: RunId,
    /// Under which claim of the run; what is still said under an earlier one is void.
    pub fence: u64,
    /// Greater than that of whatever the same process said before. Parts of one piece share it.
    pub number: u64,
    /// What is said.
    pub delta: Delta,
}

impl Spoken {
    /// Rises with what is said in a run.
    const fn place(&self) -> (u64, u64, u64) {
        (self.fence, self.number, self.delta.offset)
    }

    /// Takes in the piece that follows; gives it back where it does not follow at once.
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
