//! The server program: configuration, wiring, telemetry and command line.
//!
//! This is the only crate that knows both ports and their adapters.

pub mod banner;
pub mod cli;
pub mod configuration;
mod crypto;
pub mod demo;
pub mod failure;
mod http;
mod readiness;
pub mod run;
pub mod storage;
mod tasks;
pub mod telemetry;
mod wiring;

pub use cli::main;
