//! The log under many processes, and under processes that die.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod kills;
mod rig;
mod stress;
