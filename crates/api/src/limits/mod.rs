//! How much one caller may ask for: a token bucket per caller, kept as one instant each (the generic cell rate algorithm).
//!
//! The decision is made in this process and never waits. Replicas that share their counts exchange those instants: the
//! later one holds.

mod bucket;
mod limiter;
mod table;

pub use self::limiter::Limiter;
pub(crate) use self::limiter::{Caller, Kind, Standing};

/// Requests that one caller may make per minute; nought is without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Reading, per person or API key.
    pub reads: u32,
    /// Changing, per person or API key.
    pub writes: u32,
    /// Everything, per address of those who have not proved who they are.
    pub anonymous: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { reads: 60_000, writes: 12_000, anonymous: 6_000 }
    }
}
