//! The event log on SQLite and PostgreSQL, and everything that is derived from it by replaying.

mod projection;

pub use projection::{PerStream, Projection, ProjectionError, ROWS_AT_ONCE, StreamRows};
