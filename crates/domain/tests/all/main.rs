//! Tests of the domain through its public interface, in one binary, so that it links once.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test says what is missing and stops")]

mod api_keys;
mod budgets;
mod folding;
mod golden;
mod people;
mod providers;
mod runs;
mod secrets;
