//! The business rules of DevSkyy.
//!
//! Aggregates decide and fold. They never read a clock, draw a random number, wait or perform I/O: whatever they need
//! from outside is an argument, so every rule can be tested in microseconds without a runtime.

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
