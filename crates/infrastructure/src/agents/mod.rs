//! Agents on SQL, as projected from the log.

mod entity;
mod projection;
mod views;

pub use projection::AgentsProjection;
pub use views::SqlAgents;
