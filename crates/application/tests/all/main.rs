//! Real handlers over in-memory adapters, in one binary.

mod people;
mod repository;
mod runs;
