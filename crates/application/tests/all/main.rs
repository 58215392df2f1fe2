//! Real handlers over in-memory adapters, in one binary.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod es;
mod ledger;
mod models;
mod paging;
mod people;
mod repository;
mod runs;
mod secrets;
