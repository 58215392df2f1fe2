//! Puts the endpoints together; the server and the tests start the same application.

use std::sync::{Arc, LazyLock};

use actix_web::{
    App, Error,
    body::BoxBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::{Compress, from_fn},
    web::{self, Data},
};
use utoipa_actix_web::{scope, service_config::ServiceConfig};

use crate::{
    docs::{self, Document},
    edge::{Routes, authenticate, cors, edge, limit, one_at_a_time, unmatched, watch},
    health,
    openapi::openapi,
    state::ApiState,
    v1,
    version::{self, ApiVersion},
};

/// What is derived from the endpoints, for all workers.
static DOCUMENTED: LazyLock<(Document, Arc<Routes>)> = LazyLock::new(|| {
    let document = openapi();
    (Document::of(&document), Arc::new(Routes::of(&document)))
});

/// The whole application over its facades. Build it once per worker; the state is shared.
pub fn app(
    state: &ApiState,
) -> App<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<BoxBody>, Error = Error, InitError = ()>
    + use<>,
> {
    let (document, routes) = &*DOCUMENTED;
    App::new()
        .app_data(Data::new(state.settings.clone()))
        .app_data(Data::from(state.identity.clone()))
        .app_data(Data::from(state.keys.clone()))
        .app_data(Data::from(state.providers.clone()))
        .app_data(Data::from(state.projects.clone()))
        .app_data(Data::from(state.agents.clone()))
        .app_data(Data::from(state.runs.clone()))
        .app_data(Data::from(state.audit.clone()))
        .app_data(Data::new(state.security.clone()))
        .app_data(Data::from(state.secrets.clone()))
        .app_data(Data::new(state.in_flight.clone()))
        .app_data(Data::from(state.limiter.clone()))
        .app_data(Data::new(state.ids.clone()))
        .app_data(Data::new(state.clock.clone()))
        .app_data(Data::new(state.readiness.clone()))
        .app_data(Data::from(routes.clone()))
        .configure(|config| endpoints(&mut ServiceConfig::new(config)))
        .configure(docs::configure(document.clone()))
        .default_service(web::to(unmatched))
        .wrap(from_fn(one_at_a_time))
        .wrap(from_fn(limit))
        .wrap(from_fn(watch))
        .wrap(from_fn(authenticate))
        .wrap(Compress::default())
        .wrap(from_fn(cors))
        .wrap(from_fn(edge))
}

/// Every documented endpoint.
pub(crate) fn endpoints(config: &mut ServiceConfig) {
    health::configure(config);
    v1::well_known(config);
    config.service(scope::scope(ApiVersion::V1.base()).configure(v1::configure).wrap(from_fn(version::first)));
    config.service(scope::scope(ApiVersion::V2.base()).configure(v1::configure).wrap(from_fn(version::second)));
}
