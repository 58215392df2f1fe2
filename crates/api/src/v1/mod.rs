//! Version 1 of the interface.

mod agents;
mod auth;
mod bodies;
mod jwks;
mod members;
mod projects;
mod versions;
mod workflow_schema;

use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) use jwks::configure as well_known;

/// Mounts all of it.
pub(crate) fn configure(config: &mut ServiceConfig) {
    auth::configure(config);
    projects::configure(config);
    members::configure(config);
    agents::configure(config);
    versions::configure(config);
}
