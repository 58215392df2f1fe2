//! The description of the whole interface, collected from the routes themselves.

mod amounts;
pub(crate) mod answers;
pub(crate) mod headers;
mod links;
pub(crate) mod parts;
mod response_headers;
mod second;

use actix_web::App;
use utoipa::{
    Modify, OpenApi as _,
    openapi::{
        Content, OneOf, OpenApi, PathItem, RefOr, Required, Schema,
        path::Operation,
        request_body::RequestBody,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_actix_web::AppExt;

use crate::{app, bounds, problem::ProblemDocument};

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
        (name = "users", description = "All accounts, for administrators"),
        (name = "projects", description = "Units of isolation and their members"),
        (name = "api-keys", description = "Access of programs to one project"),
        (name = "providers", description = "Model providers of a project"),
        (name = "secrets", description = "Credentials of a project's tools"),
        (name = "budgets", description = "Limits of projects and agents on the use of language models"),
        (name = "agents", description = "Named definitions that can be run, and their immutable versions"),
        (name = "runs", description = "Executions of agents, their events and approvals"),
        (name = "audit", description = "The audit trail: who did what"),
        (name = "health", description = "Probes and the state of the process")
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
        let key = ApiKeyValue::with_description(
            "X-API-Key",
            "API key of a project (`dsk_…`); `Authorization: Bearer dsk_…` does the same",
        );
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
        components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(key)));
    }
}

/// Paths for people only, below the version's prefix.
const PLACES_FOR_PEOPLE: [&str; 2] = ["/auth/", "/users"];
/// Other operations for people only; all others that need a credential take an API key too.
const FOR_PEOPLE: [&str; 8] = [
    "create_project",
    "transfer_project",
    "list_own_invitations",
    "accept_invitation",
    "decline_invitation",
    "issue_key",
    "rotate_key",
    "revoke_key",
];

/// Every operation of a path.
fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}

/// Marks the operations that take an API key, and those that need no credential.
fn say_what_is_proven(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let place_for_people = PLACES_FOR_PEOPLE.iter().any(|part| path.contains(part));
        for operation in operations(item) {
            let for_people = operation.operation_id.as_deref().is_some_and(|id| FOR_PEOPLE.contains(&id));
            match operation.security.as_mut() {
                Some(security) if !place_for_people && !for_people => {
                    security.push(SecurityRequirement::new("api_key", Vec::<String>::new()));
                }
                Some(_) => {}
                None => operation.security = Some(Vec::new()),
            }
        }
    }
}

/// Marks optional bodies as such; a client that sends one sends no `null`.
fn say_what_may_be_left_out(document: &mut OpenApi) {
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        let Some(body) = operation.request_body.as_mut().and_then(optional) else { continue };
        for content in body.content.values_mut() {
            let RefOr::T(Content { schema: Some(schema), .. }) = content else { continue };
            let RefOr::T(Schema::OneOf(OneOf { items, .. })) = schema else { continue };
            if let Some(sent) = items.iter().find(|item| matches!(item, RefOr::Ref(_))).cloned() {
                *schema = sent;
            }
        }
    }
}

fn optional(body: &mut RefOr<RequestBody>) -> Option<&mut RequestBody> {
    match body {
        RefOr::T(body) if body.required != Some(Required::True) => Some(body),
        RefOr::T(_) | RefOr::Ref(_) => None,
    }
}

/// Pages inline their items, so nothing refers to the schema of an item that appears on pages only.
const ONLY_ON_PAGES: &str = "HistoryEntry";

/// The OpenAPI 3.1 document of every endpoint.
#[must_use]
pub fn openapi() -> OpenApi {
    let (_, mut document) =
        App::new().into_utoipa_app().openapi(Foundation::openapi()).configure(app::described).split_for_parts();
    let schemas = &mut document.components.get_or_insert_default().schemas;
    schemas.extend(bounds::all());
    schemas.remove(ONLY_ON_PAGES);
    drop(amounts::say(schemas));
    say_what_is_proven(&mut document);
    say_what_may_be_left_out(&mut document);
    response_headers::add(&mut document);
    second::tell_apart(&mut document);
    links::lead_on(&mut document);
    document
}
