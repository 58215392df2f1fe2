//! The endpoints of both versions of the interface; `version` translates where they differ.

mod account;
mod agents;
mod api_keys;
mod approval_body;
mod approvals;
mod audit;
mod auth;
mod bodies;
mod budgets;
mod definition_schema;
mod event_bodies;
mod event_stream;
mod history;
mod invitations;
mod jwks;
mod members;
mod projects;
mod provider_bodies;
mod providers;
mod results;
mod run_again;
mod run_bodies;
mod run_events;
mod runs;
mod secrets;
mod usage;
mod users;
mod versions;
mod workflow_schema;

pub(crate) use jwks::configure as well_known;

use crate::mount::Mount;

/// Mounts all endpoints.
pub(crate) fn configure(config: &mut impl Mount) {
    auth::configure(config);
    account::configure(config);
    users::configure(config);
    projects::configure(config);
    members::configure(config);
    invitations::configure(config);
    api_keys::configure(config);
    providers::configure(config);
    secrets::configure(config);
    agents::configure(config);
    versions::configure(config);
    history::configure(config);
    runs::configure(config);
    run_again::configure(config);
    run_events::configure(config);
    results::configure(config);
    approvals::configure(config);
    audit::configure(config);
    budgets::configure(config);
    usage::configure(config);
}
