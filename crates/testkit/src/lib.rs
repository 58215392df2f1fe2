//! What tests of DevSkyy are made of: in-memory adapters, the contract suites every adapter passes, chance, and
//! what logs with a will of their own leave to another.

pub mod chance;
pub mod contracts;
pub mod fakes;
pub mod reading;
