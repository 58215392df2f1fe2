//! The test harness of the domain: given past events, when a decision is made, then check its result.

use super::aggregate::{Aggregate, Decision};

/// An aggregate with past events.
#[derive(Debug, Clone)]
pub struct Given<A>(A);

/// Starts a test from past events.
#[must_use]
pub fn given<A: Aggregate>(past: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let past: Vec<_> = past.into_iter().collect();
    Given(A::default().evolved(&past))
}

impl<A: Aggregate> Given<A> {
    /// Makes a decision and returns it.
    ///
    /// # Errors
    /// The aggregate's refusal.
    pub fn when(&self, decide: impl FnOnce(&A) -> Decision<A>) -> Decision<A> {
        decide(&self.0)
    }

    /// Makes a decision and returns the state after it.
    ///
    /// # Errors
    /// The aggregate's refusal.
    pub fn after(&self, decide: impl FnOnce(&A) -> Decision<A>) -> Result<A, A::Error> {
        decide(&self.0).map(|events| self.0.clone().evolved(&events))
    }

    /// The state itself.
    pub const fn state(&self) -> &A {
        &self.0
    }
}
