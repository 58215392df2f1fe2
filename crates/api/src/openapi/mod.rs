//! The description of the whole interface, collected from the routes themselves.

pub(crate) mod answers;
pub(crate) mod headers;

use actix_web::App;
use utoipa::{
    Modify, OpenApi as _,
    openapi::{
        OpenApi,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_actix_web::AppExt;

use crate::{app, problem::ProblemDocument};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "DevSkyy",
        description = "Define agents, run them, and prove afterwards what they did. Conventions (errors, paging, `ETag`, \
                       `Idempotency-Key`, event streams) are described in `docs/api.md`; every error code in `docs/errors.md`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/", description = "the platform that serves this document")),
    components(schemas(ProblemDocument)),
    modifiers(&Bearer),
    tags(
        (name = "auth", description = "Signing up, in and out"),
        (name = "projects", description = "Units of isolation and their members"),
        (name = "agents", description = "Named definitions that can be run, and their immutable versions"),
        (name = "runs", description = "Executions of agents, their events and the questions they ask"),
        (name = "health", description = "What probes and people ask of the process")
    )
)]
struct Foundation;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("Access token from `/api/v1/auth/login` or `/api/v1/auth/refresh`"))
            .build();
        document.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The OpenAPI 3.1 document of every endpoint.
#[must_use]
pub fn openapi() -> OpenApi {
    let (_, document) =
        App::new().into_utoipa_app().openapi(Foundation::openapi()).configure(app::endpoints).split_for_parts();
    document
}
