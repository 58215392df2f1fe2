//! Endpoints are mounted at every start, and described when the document is written.

use actix_web::{dev::HttpServiceFactory, web};
use utoipa_actix_web::{OpenApiFactory, service_config};

/// Takes endpoints. Describing them takes many times the memory of serving them, so a server only mounts.
pub(crate) trait Mount {
    /// Adds one endpoint.
    fn service(&mut self, endpoint: impl HttpServiceFactory + OpenApiFactory + 'static) -> &mut Self;
}

impl Mount for web::ServiceConfig {
    fn service(&mut self, endpoint: impl HttpServiceFactory + OpenApiFactory + 'static) -> &mut Self {
        web::ServiceConfig::service(self, endpoint)
    }
}

impl Mount for service_config::ServiceConfig<'_> {
    fn service(&mut self, endpoint: impl HttpServiceFactory + OpenApiFactory + 'static) -> &mut Self {
        service_config::ServiceConfig::service(self, endpoint)
    }
}
