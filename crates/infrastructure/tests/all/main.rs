//! Every adapter against what its port promises, in one binary. Tests that need a server are ignored and say which.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod audit;
mod audit_facts;
mod budgets;
mod connections;
mod crypto;
mod databases;
mod doubt;
mod durability;
mod engine;
mod event_store;
mod hostile;
mod invitations;
mod live;
mod machine;
mod models;
mod people;
mod postmaster;
mod providers;
mod rebuilds;
mod replicas;
mod results;
mod run_laws;
mod runs;
mod secrets;
mod silence;
mod standings;
mod subscriptions;
mod tampering;
mod tools;
mod totals;
mod usage;
mod usage_rows;
mod whole_log;
mod workflow;
mod workflow_contract;
