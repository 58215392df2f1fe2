use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::error::PortError;

/// How long a source is known after the last sign-in from it.
pub const KNOWN_FOR: TimeDelta = TimeDelta::days(90);

/// Names an allowance, or a source that is known: a keyed digest, so that neither address nor e-mail can be read off it.
pub type AttemptKey = [u8; 32];

/// One attempt, to be counted against an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// Which allowance.
    pub allowance: AttemptKey,
    /// How many attempts it has.
    pub most: u32,
    /// How long after its first attempt it is whole again.
    pub window: TimeDelta,
}

/// What an allowance looks like after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Attempts counted, this one included.
    pub count: u32,
    /// When it is whole again.
    pub until: DateTime<Utc>,
}

/// What came of charging an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charged {
    /// It is counted against every allowance, in the order of the charges.
    Within(Vec<Spent>),
    /// One of them has nothing left, so it is counted against none.
    Exhausted {
        /// When that one is whole again.
        until: DateTime<Utc>,
    },
}

/// Counts attempts for all processes, and knows from where people have signed in.
///
/// What is counted is kept at once and by itself: a command that fails takes nothing back.
#[async_trait]
pub trait Attempts: Send + Sync {
    /// Counts one attempt against each of some allowances, or against none where one of them has nothing left. Of any
    /// number of attempts in parallel, no more are counted than there were left.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn charge(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<Charged, PortError>;

    /// Gives one attempt back to each of some allowances.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn refund(&self, allowances: &[AttemptKey]) -> Result<(), PortError>;

    /// Remembers that somebody signed in from a source.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn remember(&self, source: &AttemptKey, now: DateTime<Utc>) -> Result<(), PortError>;

    /// When somebody last signed in from a source, as far as that is remembered.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read.
    async fn last_seen(&self, source: &AttemptKey) -> Result<Option<DateTime<Utc>>, PortError>;
}
