//! Assembles the endpoints; the server and the tests start the same application.

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
    docs::{self, DOCUMENT, PAGES},
    edge::{Routes, authenticate, bounded, cors, edge, limit, one_at_a_time, unmatched, watch},
    endpoints, health,
    state::ApiState,
    version::{self, ApiVersion},
};

/// The methods of each address, for all workers; only pages if the committed document cannot be read.
static ROUTES: LazyLock<Arc<Routes>> = LazyLock::new(|| {
    let documented = Routes::of(DOCUMENT).unwrap_or_default();
    Arc::new(PAGES.iter().fold(documented, |routes, page| routes.and_page(page)))
});

/// The whole application over its facades. Build it once per worker; the state is shared.
pub fn app(
    state: &ApiState,
) -> App<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<BoxBody>, Error = Error, InitError = ()>
    + use<>,
> {
    App::new()
        .app_data(Data::new(state.settings.clone()))
        .app_data(Data::from(state.identity.clone()))
        .app_data(Data::from(state.keys.clone()))
        .app_data(Data::from(state.providers.clone()))
        .app_data(Data::from(state.secrets.clone()))
        .app_data(Data::from(state.budgets.clone()))
        .app_data(Data::from(state.projects.clone()))
        .app_data(Data::from(state.agents.clone()))
        .app_data(Data::from(state.runs.clone()))
        .app_data(Data::from(state.audit.clone()))
        .app_data(Data::new(state.security.clone()))
        .app_data(Data::from(state.mint.clone()))
        .app_data(Data::new(state.in_flight.clone()))
        .app_data(Data::from(state.limiter.clone()))
        .app_data(Data::new(state.ids.clone()))
        .app_data(Data::new(state.clock.clone()))
        .app_data(Data::new(state.readiness.clone()))
        .app_data(Data::from(ROUTES.clone()))
        .configure(endpoints)
        .configure(docs::configure)
        .default_service(web::to(unmatched))
        .wrap(from_fn(one_at_a_time))
        .wrap(from_fn(bounded))
        .wrap(from_fn(limit))
        .wrap(from_fn(watch))
        .wrap(from_fn(authenticate))
        .wrap(Compress::default())
        .wrap(from_fn(cors))
        .wrap(from_fn(edge))
}

/// Every endpoint, for serving.
fn endpoints(config: &mut web::ServiceConfig) {
    health::configure(config);
    endpoints::well_known(config);
    config.service(web::scope(ApiVersion::V1.base()).configure(endpoints::configure).wrap(from_fn(version::first)));
    config.service(web::scope(ApiVersion::V2.base()).configure(endpoints::configure).wrap(from_fn(version::second)));
}

/// Every endpoint, for the OpenAPI document.
pub(crate) fn described(config: &mut ServiceConfig<'_>) {
    health::configure(config);
    endpoints::well_known(config);
    for version in [ApiVersion::V1, ApiVersion::V2] {
        config.service(scope::scope(version.base()).configure(|config| endpoints::configure(config)));
    }
}
