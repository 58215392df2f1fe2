//! What DevSkyy can be asked, and the capabilities it needs to answer: use cases, ports and the event-sourcing kernel.
//!
//! Nothing here knows a database, a web framework or a runtime. A port is a capability with at most five methods, lives
//! beside the use case that needs it, and has at least two adapters that pass one contract suite.

pub mod access;
pub mod agents;
pub mod audit;
pub mod budgets;
pub mod context;
pub mod error;
pub mod es;
mod fair_lock;
pub mod identity;
pub mod misfit;
pub mod models;
pub mod paging;
pub mod ports;
pub mod projects;
pub mod runs;
pub mod secrets;
pub mod workflow;
