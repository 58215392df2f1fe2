//! The program around the platform: configuration, wiring, telemetry, command line.
//!
//! This is the only crate that sees ports and their adapters side by side.

pub mod cli;
pub mod configuration;
pub mod failure;
pub mod telemetry;

pub use cli::main;
