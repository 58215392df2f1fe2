//! What tests of DevSkyy are made of: in-memory adapters, the contract suites every adapter passes, and chance.

pub mod chance;
pub mod contracts;
pub mod fakes;
