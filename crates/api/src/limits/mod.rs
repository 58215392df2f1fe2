//! Rate limits: a token bucket per caller, stored as one instant each (the generic cell rate algorithm).
//!
//! The decision is made in this process and never waits. Replicas that share their counts exchange these instants: the
//! later one wins.

mod bucket;
mod limiter;
mod table;

pub use self::limiter::Limiter;
pub(crate) use self::limiter::{Caller, Kind, Standing};

/// Requests that one caller may make per minute; 0 means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Reads, per person or API key.
    pub reads: u32,
    /// Changes, per person or API key.
    pub writes: u32,
    /// All requests, per address of unauthenticated callers.
    pub anonymous: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { reads: 60_000, writes: 12_000, anonymous: 6_000 }
    }
}
