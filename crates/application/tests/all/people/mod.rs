//! Sign-ins, shared projects and agents.

mod agents;
mod authorization;
mod back_then;
mod bootstrap;
mod changing_passwords;
mod erasing;
mod history;
mod housekeeping;
mod keys;
mod projects;
mod registering;
mod signing_in;
mod throttling;
mod versions;
mod world;
