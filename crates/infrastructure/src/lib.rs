//! Adapters of the application's ports: databases, cryptography, tools and external services.

pub mod agents;
pub mod audit;
mod bounded_cache;
pub mod crypto;
pub mod es;
pub mod identity;
pub mod models;
mod percent;
pub mod projects;
pub mod runs;
pub mod secrets;
pub mod sql;
pub mod system;
pub mod tools;
pub mod totals;
pub mod workflow;
