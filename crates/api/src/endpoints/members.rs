use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web::Data};
use devskyy_application::{
    context::Actor,
    error::{Error, Refused},
    projects::{AddMember, ChangeMemberRole, GetMember, GetProject, ListMembers, PersonRef, Projects, RemoveMember},
};
use devskyy_domain::{
    identity::Email,
    kernel::{
        Version,
        ids::{ProjectId, UserId},
    },
    projects::ProjectRole,
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::bodies::{MemberAsOf, MemberBody};
use crate::{
    bounds::{EmailText, ProjectRoleName},
    extract::{Body, CurrentActor, Id, IfMatch, Paged, Parameters, changed, created, page, paged, shown},
    ids::{ProjectRef, UserRef},
    mount::Mount,
    openapi::{
        answers::{Acting, Changing, Narrowed, Reading},
        headers::{IdempotencyKey, OnlyIf, Unless},
        parts::Paging,
    },
    problem::Problem,
    version::address,
};

pub(super) fn configure(config: &mut impl Mount) {
    config.service(list_members).service(get_member).service(add_member);
    config.service(change_member_role).service(remove_member);
}

/// A person to add to the project, by id or by e-mail.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = one_name))]
#[schema(example = json!({"email": "grace@example.org", "role": "operator"}))]
struct NewMember {
    /// The user id.
    user_id: Option<UserRef>,
    /// The e-mail the person signs in with.
    #[schema(value_type = Option<EmailText>)]
    email: Option<String>,
    /// `owner`, `maintainer`, `operator` or `viewer`.
    #[schema(value_type = ProjectRoleName)]
    role: String,
}

fn one_name(member: &NewMember) -> Result<(), ValidationError> {
    let named = usize::from(member.user_id.is_some()) + usize::from(member.email.is_some());
    if named == 1 {
        Ok(())
    } else {
        Err(ValidationError::new("request.one_of").with_message("send either `user_id` or `email`".into()))
    }
}

impl NewMember {
    fn command(self, project: ProjectId) -> Result<AddMember, Error> {
        let person = match (self.user_id, self.email) {
            (Some(id), _) => Ok(PersonRef::Id(id.0)),
            (None, email) => Email::parse(&email.unwrap_or_default()).map(PersonRef::Email),
        };
        match (person, ProjectRole::parse(&self.role)) {
            (Ok(person), Ok(role)) => Ok(AddMember { project, person, role, expected: None, idempotency: None }),
            (person, role) => {
                let wrong = [person.err().map(Refused::from), role.err().map(Refused::from)];
                Err(Error::Invalid(wrong.into_iter().flatten().collect()))
            }
        }
    }
}

/// A new role.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "maintainer"}))]
struct NewRole {
    /// `owner`, `maintainer`, `operator` or `viewer`.
    #[schema(value_type = ProjectRoleName)]
    role: String,
}

/// List the members of a project, oldest first.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), Paging),
    responses((status = 200, description = "One page of them", body = Paged<MemberBody>), Narrowed)
)]
#[get("/projects/{id}/members")]
async fn list_members(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    Id(project): Id<ProjectId>,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let page = page(&mut parameters);
    parameters.finish()?;
    let found = projects.list_members.handle(&actor, ListMembers { project, page: page.clone() }).await?;
    Ok(paged(&request, &page, found.map(MemberBody::from)))
}

/// Show a member of a project.
///
/// The `ETag` begins with the project's version; send it in `If-Match` to change the member.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), ("user_id" = UserRef, Path, description = "Which member"), Unless),
    responses(
        (status = 200, description = "The member", body = MemberBody),
        (status = 304, description = "Nothing newer than `If-None-Match`"),
        Reading
    )
)]
#[get("/projects/{id}/members/{user_id}")]
async fn get_member(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    Id((project, user)): Id<(ProjectId, UserId)>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    shown(&request, &MemberAsOf::from(projects.get_member.handle(&actor, GetMember { project, user }).await?))
}

/// Add a member to a project at once.
///
/// The person must share a project with the caller; others are invited. The response does not reveal whether others have an
/// account. Platform administrators, who see all accounts, may add anybody. An API key adds operators and viewers only.
///
/// The `ETag` of the response begins with the project's version.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), OnlyIf, IdempotencyKey),
    request_body = NewMember,
    responses((status = 201, description = "The new member", body = MemberBody), Changing)
)]
#[post("/projects/{id}/members")]
async fn add_member(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    Id(project): Id<ProjectId>,
    only_if: IfMatch,
    body: Body<NewMember>,
) -> Result<HttpResponse, Problem> {
    let expected = only_if.expected(current(&projects, &actor, project)).await?;
    let (body, idempotency) = body.keyed(&actor);
    let command = AddMember { expected, idempotency, ..body.command(project)? };
    let added = projects.add_member.handle(&actor, command).await?;
    let place = (ProjectRef::from(project), UserRef::from(added.0.user_id));
    let location = address(format_args!("/projects/{}/members/{}", place.0, place.1));
    Ok(created(location, &MemberAsOf::from(added)))
}

/// Change the role of a member.
///
/// A project keeps at least one owner. A suspended or archived project takes lesser roles only. An API key changes operators
/// and viewers only, into one another.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), ("user_id" = UserRef, Path, description = "Which member"), OnlyIf),
    request_body = NewRole,
    responses((status = 200, description = "The member", body = MemberBody), Changing)
)]
#[patch("/projects/{id}/members/{user_id}")]
async fn change_member_role(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    Id((project, user)): Id<(ProjectId, UserId)>,
    only_if: IfMatch,
    body: Body<NewRole>,
) -> Result<HttpResponse, Problem> {
    let expected = only_if.expected(current(&projects, &actor, project)).await?;
    let role = ProjectRole::parse(&body.into_inner().role).map_err(Error::from)?;
    let command = ChangeMemberRole { project, user, role, expected };
    Ok(changed(&MemberAsOf::from(projects.change_member_role.handle(&actor, command).await?)))
}

/// Remove a member from a project, or leave it.
///
/// A project keeps at least one owner. Members of a suspended or archived project can leave and be removed too. An API key
/// removes operators and viewers only.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), ("user_id" = UserRef, Path, description = "Which member"), OnlyIf),
    responses((status = 204, description = "They have left"), Acting)
)]
#[delete("/projects/{id}/members/{user_id}")]
async fn remove_member(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    Id((project, user)): Id<(ProjectId, UserId)>,
    only_if: IfMatch,
) -> Result<HttpResponse, Problem> {
    let expected = only_if.expected(current(&projects, &actor, project)).await?;
    projects.remove_member.handle(&actor, RemoveMember { project, user, expected }).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn current(projects: &Projects, actor: &Actor, id: ProjectId) -> Result<Version, Problem> {
    Ok(projects.get.handle(actor, GetProject { id, moment: None }).await?.version)
}
