//! The run engine over real adapters: both databases, tools over HTTP and MCP, models on the loopback.

mod culprits;
mod death;
mod fallbacks;
mod faults;
mod idle;
mod ledger;
mod look_ups;
mod poison;
mod rig;
mod rush;
mod stage;
