//! The interface as its clients meet it: real handlers over in-memory adapters, one test per promise.

#![expect(clippy::unwrap_used, reason = "what a test takes for granted fails it")]

mod account;
mod agents;
mod api_keys;
mod approvals;
mod assistants;
mod audit;
mod auth;
mod bounds;
mod budgets;
mod conditions;
mod cors;
mod definitions;
mod documents;
mod edge;
mod expressions;
mod history;
mod invitations;
mod keepers;
mod leading;
mod limits;
mod lists;
mod matrix;
mod members;
mod moods;
mod project_life;
mod projects;
mod providers;
mod refusals;
mod repeating;
mod results;
mod retirement;
mod run_again;
mod run_events;
mod runs;
mod second;
mod secrets;
mod steering;
mod strictness;
mod switch;
mod tools;
mod usage;
mod users;
mod wire;
mod world;
