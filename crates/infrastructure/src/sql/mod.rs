//! The database beneath every SQL adapter: SQLite in the data directory, or PostgreSQL.

mod database;
mod failure;
mod leases;
mod listing;
mod lock;
mod migrating;
mod numbers;
mod sweeping;
#[cfg(test)]
pub(crate) mod tests;
mod used_keys;

pub use database::{Database, Durability};
pub use failure::{Port, is_transient};
pub(crate) use failure::{leave, took_too_long};
pub use leases::free_leases;
pub(crate) use listing::{Order, containing, part_of};
pub(crate) use lock::lock;
pub(crate) use numbers::{instant, loaded, micros, sound_instant, sound_number, stored};
pub(crate) use sweeping::{AT_ONCE, delete_before, naming, none};
pub use used_keys::SqlUsedKeys;
