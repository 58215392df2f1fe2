//! The rules of DevSkyy, and nothing else.
//!
//! Aggregates decide and fold; they never read a clock, draw a random number, wait or perform I/O. Whatever they need
//! from outside arrives as an argument, so every rule can be tested in microseconds without a runtime.

pub mod agents;
pub mod assistant;
pub mod budgets;
pub mod conversation;
pub mod definition;
pub mod identity;
pub mod kernel;
pub mod models;
pub mod projects;
pub mod runs;
pub mod secrets;
pub mod workflow;
