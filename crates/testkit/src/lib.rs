//! The building blocks of DevSkyy's tests: in-memory adapters, the contract suites of all adapters, reproducible
//! randomness, databases, HTTP requests, delegation to another log, a reference log, and checks of generated pages.

pub mod chance;
pub mod contracts;
pub mod databases;
pub mod documents;
pub mod fakes;
pub mod http;
pub mod reading;
pub mod reference_log;
