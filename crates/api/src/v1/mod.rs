//! Version 1 of the interface.

use utoipa_actix_web::service_config::ServiceConfig;

/// Mounts all of it.
pub(crate) fn configure(_config: &mut ServiceConfig) {}
