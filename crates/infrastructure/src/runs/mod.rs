//! Runs on SQL: their projection, the queue workers take them from, what their models used, what they need to know of agents,
//! and the wire between processes.

mod agents;
mod entity;
mod law;
mod projection;
mod queue;
mod rows;
mod usage;
mod views;
mod wire;

pub use agents::AgentsForRuns;
pub use law::RunLaw;
pub use projection::{RunRow, RunsProjection};
pub use queue::SqlRunQueue;
pub use usage::SqlUsage;
pub use views::SqlRuns;
pub use wire::PostgresLiveWire;
