use actix_web::{HttpRequest, HttpResponse, get, post, web::Data};
use devskyy_application::projects::{CreateProject, GetProject, ListProjects, Projects};
use devskyy_domain::{kernel::ids::ProjectId, projects::ProjectName};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::bodies::ProjectBody;
use crate::{
    extract::{Body, CurrentActor, Id, Paged, Paging, Parameters, created, page, paged, shown},
    openapi::{
        answers::{Creating, Listing, Reading},
        headers::{IdempotencyKey, Unless},
    },
    problem::Problem,
};

pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(create_project).service(list_projects).service(get_project);
}

/// Asks for a project.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Supply chain"}))]
struct NewProject {
    /// Its name.
    #[schema(min_length = 3, max_length = 100)]
    name: String,
}

/// Create a project and own it.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(IdempotencyKey),
    request_body = NewProject,
    responses((status = 201, description = "The project", body = ProjectBody, headers(("ETag" = String, description = "The version"), ("Location" = String, description = "Where it is"))), Creating)
)]
#[post("/projects")]
async fn create_project(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    body: Body<NewProject>,
) -> Result<HttpResponse, Problem> {
    let (NewProject { name }, idempotency) = body.keyed(&actor);
    let name = ProjectName::parse(&name).map_err(devskyy_application::error::Error::from)?;
    let project = projects.create.handle(&actor, CreateProject { name, idempotency }).await?;
    Ok(created(format!("/api/v1/projects/{}", project.id), &ProjectBody::from(project)))
}

/// List the projects one may see, the oldest first.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(Paging),
    responses((status = 200, description = "One page of them", body = Paged<ProjectBody>, headers(("Link" = String, description = "Neighbouring pages (RFC 8288)"))), Listing)
)]
#[get("/projects")]
async fn list_projects(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let page = page(&mut parameters);
    parameters.finish()?;
    let found = projects.list.handle(&actor, ListProjects { page }).await?;
    Ok(paged(&request, page, found.map(ProjectBody::from)))
}

/// Show a project.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Which project"), Unless),
    responses(
        (status = 200, description = "The project", body = ProjectBody, headers(("ETag" = String, description = "The version"))),
        (status = 304, description = "Nothing newer than `If-None-Match`"),
        Reading
    )
)]
#[get("/projects/{id}")]
async fn get_project(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    Id(id): Id<ProjectId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let project = projects.get.handle(&actor, GetProject { id }).await?;
    shown(&request, &ProjectBody::from(project))
}
