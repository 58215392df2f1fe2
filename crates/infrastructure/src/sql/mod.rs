//! The database beneath every SQL adapter: SQLite in the data directory, or PostgreSQL.

mod database;
mod failure;

pub use database::Database;
pub use failure::{is_transient, port_error};
