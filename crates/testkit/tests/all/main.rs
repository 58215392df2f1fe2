//! The in-memory adapters keep their ports' promises, and each contract catches the culprits made for it.

mod attempts_culprits;
mod audit;
mod checkpoints;
mod credentials;
mod databases;
mod event_store;
mod event_store_culprits;
mod invitations;
mod live;
mod machine;
mod models;
mod models_culprits;
mod naive_tail;
mod people;
mod people_culprits;
mod people_flaws;
mod probing;
mod providers;
mod results;
mod routing;
mod runs;
mod runs_culprits;
mod secrets;
mod usage;
mod walking_culprits;
mod workflow;
