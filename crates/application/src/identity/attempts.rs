use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::error::PortError;

/// How long a source stays known after the last sign-in from it.
pub const KNOWN_FOR: TimeDelta = TimeDelta::days(90);

/// The key of an allowance or a known source: a keyed digest, which reveals neither address nor e-mail.
pub type AttemptKey = [u8; 32];

/// One attempt, to be counted against an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// The allowance.
    pub allowance: AttemptKey,
    /// Its limit of attempts.
    pub most: u32,
    /// Duration of its window, from its first attempt.
    pub window: TimeDelta,
}

/// The state of an allowance after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Attempts counted, this one included.
    pub count: u32,
    /// When its window ends.
    pub until: DateTime<Utc>,
}

/// The result of charging an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charged {
    /// It was charged to every allowance; the results are in the order of the charges.
    Within(Vec<Spent>),
    /// One allowance is exhausted, so none was charged.
    Exhausted {
        /// When the window of that one ends.
        until: DateTime<Utc>,
    },
}

/// Counts attempts across all processes, and remembers the sources of sign-ins.
///
/// Changes are committed at once; a command that fails later does not undo them.
#[async_trait]
pub trait Attempts: Send + Sync {
    /// Charges an attempt to all of the allowances, or to none if one is exhausted. Parallel attempts never exceed a
    /// limit.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn charge(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<Charged, PortError>;

    /// Refunds one attempt to each of the allowances.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn refund(&self, allowances: &[AttemptKey]) -> Result<(), PortError>;

    /// Remembers a sign-in from a source.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be written.
    async fn remember(&self, source: &AttemptKey, now: DateTime<Utc>) -> Result<(), PortError>;

    /// When the last known sign-in from a source was.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read.
    async fn last_seen(&self, source: &AttemptKey) -> Result<Option<DateTime<Utc>>, PortError>;
}
