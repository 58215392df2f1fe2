//! What tests of DevSkyy are made of: in-memory adapters, the contract suites every adapter passes, chance, databases of
//! their own, requests over HTTP, what logs with a will of their own leave to another, the simplest log to compare
//! them with, and whether written pages are what the code says.

pub mod chance;
pub mod contracts;
pub mod databases;
pub mod documents;
pub mod fakes;
pub mod http;
pub mod reading;
pub mod reference_log;
