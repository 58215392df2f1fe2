use actix_web::{HttpRequest, HttpResponse, get, patch, post, web::Data};
use devskyy_application::{
    context::Actor,
    paging::Sort,
    projects::{ChangeProject, CreateProject, GetProject, ListProjects, ProjectChange, ProjectSort, Projects},
};
use devskyy_domain::{
    kernel::ids::ProjectId,
    projects::{ProjectName, ProjectStatus},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::bodies::ProjectBody;
use crate::{
    bounds::{ProjectNameText, ProjectStatusName, SearchText},
    extract::{Body, CurrentActor, Id, IfMatch, Paged, Parameters, changed, created, moment, page, paged, shown},
    ids::{ProjectRef, UserRef},
    mount::Mount,
    openapi::{
        answers::{Acting, Changing, Creating, Listing, Narrowed},
        headers::{IdempotencyKey, OnlyIf, Unless},
        parts::{BackThen, Paging},
    },
    problem::Problem,
    version::address,
};

pub(super) fn configure(config: &mut impl Mount) {
    config.service(create_project).service(list_projects).service(get_project).service(rename_project);
    config.service(suspend_project).service(resume_project).service(archive_project).service(transfer_project);
}

/// A project to create.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Supply chain"}))]
struct NewProject {
    /// Its name.
    #[schema(value_type = ProjectNameText)]
    name: String,
}

/// Create a project; the caller becomes its owner.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(IdempotencyKey),
    request_body = NewProject,
    responses((status = 201, description = "The project", body = ProjectBody), Creating)
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
    Ok(created(address(format_args!("/projects/{}", ProjectRef::from(project.id))), &ProjectBody::from(project)))
}

/// Which projects a list shows.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only describes what the list takes")]
struct ProjectFilter {
    /// Only those with this status: `active`, `suspended` or `archived`.
    #[param(required = false)]
    status: ProjectStatusName,
    /// Only those with this in their name, letters' case aside.
    #[param(required = false)]
    name: SearchText,
    /// `created_at` or `name`, with `-` before it for descending.
    #[param(required = false, default = "created_at", pattern = "^-?(created_at|name)$")]
    sort: String,
}

/// The fields projects can be sorted by, by name.
const SORTS: [(&str, ProjectSort); 2] = [("created_at", ProjectSort::CreatedAt), ("name", ProjectSort::Name)];

/// List the projects that the caller may see.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(Paging, ProjectFilter),
    responses((status = 200, description = "One page of them", body = Paged<ProjectBody>), Listing)
)]
#[get("/projects")]
async fn list_projects(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let query = ListProjects {
        status: parameters.take_by("status", "active, suspended or archived", ProjectStatus::from_name),
        name: parameters.take_search("name"),
        sort: parameters.take_sort(&SORTS, Sort::ascending(ProjectSort::CreatedAt)),
        page: page(&mut parameters),
    };
    parameters.finish()?;
    let page = query.page.clone();
    let found = projects.list.handle(&actor, query).await?;
    Ok(paged(&request, &page, found.map(ProjectBody::from)))
}

/// Show a project.
///
/// Shows the current state, or with `version` or `as_of` an earlier one. Access is decided as of now.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), BackThen, Unless),
    responses(
        (status = 200, description = "The project", body = ProjectBody),
        (status = 304, description = "Nothing newer than `If-None-Match`"),
        Narrowed
    )
)]
#[get("/projects/{id}")]
async fn get_project(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    Id(id): Id<ProjectId>,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let moment = moment(&mut parameters);
    parameters.finish()?;
    let project = projects.get.handle(&actor, GetProject { id, moment }).await?;
    shown(&request, &ProjectBody::from(project))
}

/// The transfer of a project.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"user_id": "01938f2e-0000-7000-8000-000000000000"}))]
struct Transfer {
    /// The member who shall own it.
    user_id: UserRef,
}

/// Rename a project.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), OnlyIf),
    request_body = NewProject,
    responses((status = 200, description = "The project", body = ProjectBody), Changing)
)]
#[patch("/projects/{id}")]
async fn rename_project(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    Id(id): Id<ProjectId>,
    only_if: IfMatch,
    body: Body<NewProject>,
) -> Result<HttpResponse, Problem> {
    let name = ProjectName::parse(&body.into_inner().name).map_err(devskyy_application::error::Error::from)?;
    apply(&projects, &actor, id, only_if, ProjectChange::Rename(name)).await
}

/// Transfer a project to another member.
///
/// They become an owner, and an owner who makes the request becomes a maintainer. This works in a suspended or archived
/// project too.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), OnlyIf),
    request_body = Transfer,
    responses((status = 200, description = "The project", body = ProjectBody), Changing)
)]
#[post("/projects/{id}/transfer")]
async fn transfer_project(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    Id(id): Id<ProjectId>,
    only_if: IfMatch,
    body: Body<Transfer>,
) -> Result<HttpResponse, Problem> {
    let to = body.into_inner().user_id.0;
    apply(&projects, &actor, id, only_if, ProjectChange::Transfer(to)).await
}

macro_rules! lifecycle {
    ($($(#[$doc:meta])* $name:ident = $path:literal, $change:ident;)+) => {$(
        $(#[$doc])*
        #[utoipa::path(
            tag = "projects",
            security(("bearer" = [])),
            params(("id" = ProjectRef, Path, description = "Which project"), OnlyIf),
            responses((status = 200, description = "The project", body = ProjectBody), Acting)
        )]
        #[post($path)]
        async fn $name(
            projects: Data<Projects>,
            CurrentActor(actor): CurrentActor,
            Id(id): Id<ProjectId>,
            only_if: IfMatch,
        ) -> Result<HttpResponse, Problem> {
            apply(&projects, &actor, id, only_if, ProjectChange::$change).await
        }
    )+};
}

lifecycle! {
    /// Suspend a project: no run starts, and agents, providers, secrets and keys cannot be added or changed.
    suspend_project = "/projects/{id}/suspend", Suspend;
    /// Resume a suspended project.
    resume_project = "/projects/{id}/resume", Resume;
    /// Archive a project; this cannot be undone.
    archive_project = "/projects/{id}/archive", Archive;
}

async fn apply(
    projects: &Projects,
    actor: &Actor,
    project: ProjectId,
    only_if: IfMatch,
    change: ProjectChange,
) -> Result<HttpResponse, Problem> {
    let current = async { Ok(projects.get.handle(actor, GetProject { id: project, moment: None }).await?.version) };
    let expected = only_if.expected(current).await?;
    let changed_project = projects.change.handle(actor, ChangeProject { project, change, expected }).await?;
    Ok(changed(&ProjectBody::from(changed_project)))
}
