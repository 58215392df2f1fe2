//! The database beneath every SQL adapter: SQLite in the data directory, or PostgreSQL.

mod database;
mod failure;
mod listing;
mod lock;
mod numbers;
mod used_keys;

pub use database::{Database, Durability};
pub use failure::{is_transient, port_error};
#[cfg(test)]
pub(crate) use listing::goes_on_by_index;
pub(crate) use listing::{Order, containing, part_of};
pub(crate) use lock::lock;
pub(crate) use numbers::{instant, loaded, micros, stored};
pub use used_keys::SqlUsedKeys;
