//! One suite per port: public functions over the port, one per promise, run unchanged over every adapter.

pub mod audit;
pub mod checkpoints;
pub mod event_store;
pub mod invitations;
pub mod models;
pub mod people;
pub mod providers;
pub mod runs;
pub mod secrets;
mod walking;
pub mod workflow;
