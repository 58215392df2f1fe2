use actix_web::{HttpRequest, HttpResponse, delete, get, http::header::LOCATION, post, web::Data};
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::{Error, Refused},
    paging::{Key, Part},
    projects::{
        AnswerInvitation, GetInvitation, InvitationView, InviteMember, IssuedInvitation, Projects, WithdrawInvitation,
    },
};
use devskyy_domain::{
    identity::Email,
    kernel::{
        Version,
        ids::{InvitationId, ProjectId},
    },
    projects::ProjectRole,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    bounds::{EmailText, ProjectRoleName},
    extract::{Body, CurrentActor, Id, OptionalBody, Parameters, Revision, digest, short, shown, told},
    ids::{InvitationRef, ProjectRef},
    mount::Mount,
    openapi::{
        answers::{Acting, Changing, Creating, Narrowed, OneselfListed, Reading},
        headers::{IdempotencyKey, Unless},
    },
    problem::Problem,
    version::address,
};

pub(super) fn configure(config: &mut impl Mount) {
    config.service(invite_member).service(list_invitations).service(get_invitation).service(withdraw_invitation);
    config.service(list_own_invitations).service(accept_invitation).service(decline_invitation);
}

/// An invitation to a project.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "grace@example.org", "role": "operator"}))]
struct NewInvitation {
    /// The e-mail to invite, whether or not it has an account.
    #[schema(value_type = EmailText)]
    email: String,
    /// `owner`, `maintainer`, `operator` or `viewer`.
    #[schema(value_type = ProjectRoleName)]
    role: String,
}

impl NewInvitation {
    fn command(&self, project: ProjectId) -> Result<InviteMember, Error> {
        match (Email::parse(&self.email), ProjectRole::parse(&self.role)) {
            (Ok(email), Ok(role)) => Ok(InviteMember { project, email, role, idempotency: None }),
            (email, role) => {
                let wrong = [email.err().map(Refused::from), role.err().map(Refused::from)];
                Err(Error::Invalid(wrong.into_iter().flatten().collect()))
            }
        }
    }
}

/// Answers an invitation.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct InvitationAnswer {
    /// The token of the invitation; required if the person registered after they were invited.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    token: Option<String>,
}

/// An invitation into a project.
#[derive(Serialize, ToSchema)]
#[schema(as = ProjectInvitation)]
struct InvitationBody {
    /// Which.
    id: InvitationRef,
    /// Into which project.
    project_id: ProjectRef,
    /// The project's name, unless the invitation requires its token.
    #[schema(example = "Supply chain")]
    project_name: Option<String>,
    /// The invited e-mail; deleted once the invitation has ended.
    email: Option<String>,
    /// As what: `owner`, `maintainer`, `operator` or `viewer`.
    #[schema(example = "operator")]
    role: &'static str,
    /// `open`, `accepted`, `declined` or `withdrawn`.
    #[schema(example = "open")]
    status: &'static str,
    /// Who invited.
    #[schema(example = "user:01938f2e-0000-7000-8000-000000000000")]
    invited_by: String,
    /// Since when.
    created_at: DateTime<Utc>,
    /// When it expires.
    expires_at: DateTime<Utc>,
}

impl From<InvitationView> for InvitationBody {
    fn from(InvitationView { record, project_name, email }: InvitationView) -> Self {
        Self {
            id: record.id.into(),
            project_id: record.project.into(),
            project_name,
            email,
            role: record.role.as_str(),
            status: record.status.as_str(),
            invited_by: record.invited_by,
            created_at: record.created_at,
            expires_at: record.expires_at,
        }
    }
}

/// An invitation as of its version, which does not count the names of people and projects.
#[derive(Serialize)]
struct InvitationAsOf {
    #[serde(flatten)]
    invitation: InvitationBody,
    #[serde(skip)]
    version: Version,
}

impl Revision for InvitationAsOf {
    fn version(&self) -> Version {
        self.version
    }

    fn beside_version(&self) -> Option<u32> {
        let InvitationBody { email, project_name, .. } = &self.invitation;
        Some(digest(&[email.as_deref().unwrap_or_default(), project_name.as_deref().unwrap_or_default()]))
    }
}

/// An invitation with what to pass on.
#[derive(Serialize, ToSchema)]
#[schema(as = IssuedProjectInvitation)]
struct IssuedBody {
    #[serde(flatten)]
    invitation: InvitationBody,
    /// Pass it on to the invited person. Shown this once, and `null` when a response is repeated.
    token: Option<String>,
}

impl From<IssuedInvitation> for IssuedBody {
    fn from(IssuedInvitation { view, token }: IssuedInvitation) -> Self {
        Self { invitation: view.into(), token }
    }
}

/// Invitations that wait for an answer.
#[derive(ToSchema)]
#[schema(as = ProjectInvitations)]
#[expect(dead_code, reason = "only describes what the operations answer")]
struct InvitationsBody {
    /// The items, oldest first.
    items: Vec<InvitationBody>,
}

fn waiting(request: &HttpRequest, wanted: Option<&Part>, views: Vec<InvitationView>) -> HttpResponse {
    let place = |it: &InvitationView| Key::by_time(it.record.created_at, it.record.id);
    told::<_, InvitationBody>(request, wanted, views, false, place)
}

/// Invite a person into a project by e-mail, whether or not they have an account.
///
/// It is valid for a week. A person with an account finds it at `/invitations`. A person who registers later needs the
/// token, because nothing else proves that the e-mail is theirs.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), IdempotencyKey),
    request_body = NewInvitation,
    responses(
        (status = 201, description = "The invitation; its token is shown this once", body = IssuedBody, headers(
            ("Location" = String, description = "Where it is")
        )),
        Creating
    )
)]
#[post("/projects/{id}/invitations")]
async fn invite_member(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    Id(project): Id<ProjectId>,
    body: Body<NewInvitation>,
) -> Result<HttpResponse, Problem> {
    let (body, idempotency) = body.keyed(&actor);
    let command = InviteMember { idempotency, ..body.command(project)? };
    let issued = IssuedBody::from(projects.invite_member.handle(&actor, command).await?);
    let place = (ProjectRef::from(project), issued.invitation.id);
    let location = address(format_args!("/projects/{}/invitations/{}", place.0, place.1));
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(issued))
}

/// List a project's pending invitations, oldest first.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project")),
    responses((status = 200, description = "All of them", body = InvitationsBody), Narrowed)
)]
#[get("/projects/{id}/invitations")]
async fn list_invitations(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    Id(project): Id<ProjectId>,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let wanted = short(&mut parameters);
    parameters.finish()?;
    Ok(waiting(&request, wanted.as_ref(), projects.list_invitations.of_project(&actor, project).await?))
}

/// Show an invitation of a project, also after it has ended.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), ("invitation_id" = InvitationRef, Path, description = "Which invitation"), Unless),
    responses(
        (status = 200, description = "The invitation, never its token", body = InvitationBody),
        (status = 304, description = "Nothing newer than `If-None-Match`"),
        Reading
    )
)]
#[get("/projects/{id}/invitations/{invitation_id}")]
async fn get_invitation(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    Id((project, invitation)): Id<(ProjectId, InvitationId)>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (view, version) = projects.get_invitation.handle(&actor, GetInvitation { project, invitation }).await?;
    shown(&request, &InvitationAsOf { invitation: view.into(), version })
}

/// Withdraw an invitation.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), ("invitation_id" = InvitationRef, Path, description = "Which invitation")),
    responses((status = 204, description = "It is withdrawn"), Acting)
)]
#[delete("/projects/{id}/invitations/{invitation_id}")]
async fn withdraw_invitation(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    Id((project, invitation)): Id<(ProjectId, InvitationId)>,
) -> Result<HttpResponse, Problem> {
    projects.withdraw_invitation.handle(&actor, WithdrawInvitation { project, invitation }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// List one's own pending invitations, oldest first.
///
/// Invitations from before the registration require their token to be answered, and do not name their project yet.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = [])),
    responses((status = 200, description = "All of them", body = InvitationsBody), OneselfListed)
)]
#[get("/invitations")]
async fn list_own_invitations(
    projects: Data<Projects>,
    CurrentActor(actor): CurrentActor,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let wanted = short(&mut parameters);
    parameters.finish()?;
    Ok(waiting(&request, wanted.as_ref(), projects.list_invitations.own(&actor).await?))
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident = $path:literal, $accept:literal;)+) => {$(
        $(#[$doc])*
        #[utoipa::path(
            tag = "projects",
            security(("bearer" = [])),
            params(("invitation_id" = InvitationRef, Path, description = "Which invitation")),
            request_body = InvitationAnswer,
            responses((status = 200, description = "The invitation as it has ended", body = InvitationBody), Changing)
        )]
        #[post($path)]
        async fn $name(
            projects: Data<Projects>,
            CurrentActor(actor): CurrentActor,
            Id(invitation): Id<InvitationId>,
            OptionalBody(InvitationAnswer { token }): OptionalBody<InvitationAnswer>,
        ) -> Result<HttpResponse, Problem> {
            let command = AnswerInvitation { invitation, token, accept: $accept };
            let ended = projects.answer_invitation.handle(&actor, command).await?;
            Ok(HttpResponse::Ok().json(InvitationBody::from(ended)))
        }
    )+};
}

answers! {
    /// Accept an invitation and join the project.
    accept_invitation = "/invitations/{invitation_id}/accept", true;
    /// Decline an invitation.
    decline_invitation = "/invitations/{invitation_id}/decline", false;
}
