//! The use cases of DevSkyy, the ports they need, and the event-sourcing kernel.
//!
//! This crate depends on no database, web framework or runtime. A port is a capability with at most five methods. It
//! lives beside the use case that needs it and has at least two adapters that pass the same contract suite.

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
