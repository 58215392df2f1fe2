//! Runs on SQL: their projection, the queue workers take them from, what they need to know of agents, and the wire between
//! processes.

mod agents;
mod entity;
mod law;
mod projection;
mod queue;
mod rows;
mod views;
mod wire;

pub use agents::AgentsForRuns;
pub use law::RunLaw;
pub use projection::{RunRow, RunsProjection};
pub use queue::SqlRunQueue;
pub use views::SqlRuns;
pub use wire::PostgresLiveWire;
