//! The run engine over real adapters: SQLite, HTTP tools and models on the loopback.

mod culprits;
mod death;
mod faults;
mod idle;
mod ledger;
mod rig;
mod stage;
