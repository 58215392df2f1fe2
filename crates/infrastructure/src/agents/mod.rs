//! Agents on SQL, derived from the log.

mod entity;
mod projection;
mod views;

pub use projection::AgentsProjection;
pub use views::SqlAgents;
