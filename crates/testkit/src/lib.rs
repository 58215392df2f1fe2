//! What tests of DevSkyy are made of: in-memory adapters and the contract suites every adapter passes.

pub mod contracts;
pub mod fakes;
