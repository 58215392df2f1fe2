use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{ETAG, LOCATION},
    post,
    web::Data,
};
use devskyy_application::agents::{Agents, GetVersion, ListVersions, PublishVersion};
use devskyy_domain::kernel::{Json, ids::AgentId};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    agents::current,
    bodies::{VersionBody, VersionSummaryBody},
    definition_schema::DefinitionSchema,
};
use crate::{
    extract::{Body, CurrentActor, Id, IfMatch, Paged, Parameters, etag, page, paged, shown},
    ids::AgentRef,
    mount::Mount,
    openapi::{
        answers::{Changing, Narrowed, Reading},
        headers::{IdempotencyKey, OnlyIf, Unless},
        parts::Paging,
    },
    problem::{Problem, request::MALFORMED_ID},
    version::address,
};

pub(super) fn configure(config: &mut impl Mount) {
    config.service(publish_version).service(list_versions).service(get_version);
}

/// A definition to publish.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewVersion {
    /// The definition.
    #[schema(value_type = DefinitionSchema)]
    definition: Json,
}

/// Publish a definition as an agent's next version.
///
/// Publishing the same content again changes nothing. The `ETag` of the response is the agent's.
#[utoipa::path(
    tag = "agents",
    security(("bearer" = [])),
    params(("id" = AgentRef, Path, description = "Which agent"), OnlyIf, IdempotencyKey),
    request_body = NewVersion,
    responses(
        (status = 201, description = "The version that runs start from now", body = VersionBody, headers(
            ("ETag" = String, description = "The agent's version"),
            ("Location" = String, description = "Where it is")
        )),
        Changing
    )
)]
#[post("/agents/{id}/versions")]
async fn publish_version(
    agents: Data<Agents>,
    CurrentActor(actor): CurrentActor,
    Id(agent): Id<AgentId>,
    only_if: IfMatch,
    body: Body<NewVersion>,
) -> Result<HttpResponse, Problem> {
    let expected = only_if.expected(current(&agents, &actor, agent)).await?;
    let (NewVersion { definition }, idempotency) = body.keyed(&actor);
    let command = PublishVersion { agent, definition, expected, idempotency };
    let (version, agent) = agents.publish_version.handle(&actor, command).await?;
    Ok(HttpResponse::Created()
        .insert_header((ETAG, etag(agent.version)))
        .insert_header((
            LOCATION,
            address(format_args!("/agents/{}/versions/{}", AgentRef::from(agent.id), version.summary.number)),
        ))
        .json(VersionBody::from(version)))
}

/// List an agent's versions, newest first.
#[utoipa::path(
    tag = "agents",
    security(("bearer" = [])),
    params(("id" = AgentRef, Path, description = "Which agent"), Paging),
    responses((status = 200, description = "One page of them", body = Paged<VersionSummaryBody>), Narrowed)
)]
#[get("/agents/{id}/versions")]
async fn list_versions(
    agents: Data<Agents>,
    CurrentActor(actor): CurrentActor,
    Id(agent): Id<AgentId>,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let page = page(&mut parameters);
    parameters.finish()?;
    let found = agents.list_versions.handle(&actor, ListVersions { agent, page: page.clone() }).await?;
    Ok(paged(&request, &page, found.map(VersionSummaryBody::from)))
}

/// Show one version of an agent with its definition.
///
/// A version never changes, and neither does its `ETag`.
#[utoipa::path(
    tag = "agents",
    security(("bearer" = [])),
    params(("id" = AgentRef, Path, description = "Which agent"), ("number" = u32, Path, description = "Which version", minimum = 1), Unless),
    responses(
        (status = 200, description = "The version", body = VersionBody, headers(
            ("ETag" = String, description = "The version's own")
        )),
        (status = 304, description = "Nothing newer than `If-None-Match`"),
        Reading
    )
)]
#[get("/agents/{id}/versions/{number}")]
async fn get_version(
    agents: Data<Agents>,
    CurrentActor(actor): CurrentActor,
    Id(agent): Id<AgentId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let number = request.match_info().query("number").parse();
    let number =
        number.map_err(|_| Problem::parameter(MALFORMED_ID, "number", "this part of the path must be a number"))?;
    let version = agents.get_version.handle(&actor, GetVersion { agent, number }).await?;
    shown(&request, &VersionBody::from(version))
}
