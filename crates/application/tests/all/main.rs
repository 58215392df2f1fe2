//! Real handlers over in-memory adapters, in one binary.

mod repository;
mod runs;
