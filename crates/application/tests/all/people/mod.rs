//! Signing in, sharing projects and defining agents.

mod agents;
mod authorization;
mod bootstrap;
mod housekeeping;
mod keys;
mod projects;
mod registering;
mod signing_in;
mod throttling;
mod versions;
mod world;
