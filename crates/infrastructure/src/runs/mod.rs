//! Runs in SQL: their projection, the queue, large results, model usage, the definitions of agents, and the wire
//! between processes.

mod agents;
mod entity;
mod law;
mod projection;
mod queue;
mod result_law;
mod results;
mod rows;
mod turns;
mod usage;
mod views;
mod wire;

pub use agents::AgentsForRuns;
pub use law::RunLaw;
pub use projection::{RunRow, RunsProjection};
pub use queue::SqlRunQueue;
pub use result_law::ResultLaw;
pub use results::SqlResults;
pub use usage::SqlUsage;
pub use views::SqlRuns;
pub use wire::PostgresLiveWire;
