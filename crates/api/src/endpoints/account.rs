use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web::Data};
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::Error,
    identity::{self, EndSession, Identity, SessionRecord, SessionView, UpdateProfile},
    paging::Key,
};
use devskyy_domain::{identity::DisplayName, kernel::ids::SessionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::bodies::UserBody;
use crate::{
    bounds::{DisplayNameText, NewPasswordText, PRESENTED, PasswordText},
    extract::{Body, CurrentActor, Id, IfMatch, Parameters, changed, short, told},
    ids::SessionRef,
    mount::Mount,
    openapi::{
        answers::{Changing, OneselfListed, Reading},
        headers::OnlyIf,
    },
    problem::Problem,
};

pub(super) fn configure(config: &mut impl Mount) {
    config.service(update_me).service(change_password).service(list_sessions).service(end_session);
}

/// A new display name.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Ada King"}))]
struct NewProfile {
    /// The name to go by.
    #[schema(value_type = DisplayNameText)]
    name: String,
}

/// A new password.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The password so far.
    #[validate(length(max = PRESENTED))]
    #[schema(value_type = PasswordText)]
    current_password: String,
    /// The password from now on.
    #[validate(length(max = PRESENTED))]
    #[schema(value_type = NewPasswordText)]
    password: String,
}

/// A sign-in that counts.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
struct SessionBody {
    /// Which.
    id: SessionRef,
    /// When it began.
    opened_at: DateTime<Utc>,
    /// When tokens were last issued for it.
    last_used_at: DateTime<Utc>,
    /// When it ends, even if it is refreshed.
    ends_at: DateTime<Utc>,
    /// Whether this request came with it.
    current: bool,
}

impl From<SessionView> for SessionBody {
    fn from(SessionView { record, current }: SessionView) -> Self {
        let SessionRecord { id, opened_at, last_used_at, ends_at } = record;
        Self { id: id.into(), opened_at, last_used_at, ends_at, current }
    }
}

/// Every sign-in that counts.
#[derive(ToSchema)]
#[schema(as = Sessions)]
#[expect(dead_code, reason = "only describes what the operation answers")]
struct SessionsBody {
    /// The items, newest first.
    items: Vec<SessionBody>,
}

/// Change one's own display name.
///
/// `If-Match` compares the whole `ETag` here, because its second part covers the name.
#[utoipa::path(
    tag = "auth",
    security(("bearer" = [])),
    params(OnlyIf),
    request_body = NewProfile,
    responses(
        (status = 200, description = "The account", body = UserBody, headers(
            ("ETag" = String, description = "The state")
        )),
        Changing
    )
)]
#[patch("/auth/me")]
async fn update_me(
    identity: Data<Identity>,
    CurrentActor(actor): CurrentActor,
    only_if: IfMatch,
    body: Body<NewProfile>,
) -> Result<HttpResponse, Problem> {
    let present = async { Ok(identity.profile.handle(&actor).await?) };
    let from = only_if.whole(present, UserBody::from).await?.map(|present| present.name);
    let name = DisplayName::parse(&body.into_inner().name).map_err(Error::from)?;
    let user = identity.update_profile.handle(&actor, UpdateProfile { name, from }).await?;
    Ok(changed(&UserBody::from(user)))
}

/// Change one's own password.
///
/// Every other sign-in ends within five seconds; the one that makes the request stays.
#[utoipa::path(
    tag = "auth",
    security(("bearer" = [])),
    request_body = PasswordChange,
    responses((status = 204, description = "The password is changed"), Changing)
)]
#[post("/auth/password")]
async fn change_password(
    identity: Data<Identity>,
    CurrentActor(actor): CurrentActor,
    body: Body<PasswordChange>,
) -> Result<HttpResponse, Problem> {
    let PasswordChange { current_password: current, password: new } = body.into_inner();
    identity.change_password.handle(&actor, identity::ChangePassword { current, new }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// List one's own sign-ins, newest first.
#[utoipa::path(
    tag = "auth",
    security(("bearer" = [])),
    responses((status = 200, description = "All that count", body = SessionsBody), OneselfListed)
)]
#[get("/auth/sessions")]
async fn list_sessions(
    identity: Data<Identity>,
    CurrentActor(actor): CurrentActor,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let wanted = short(&mut parameters);
    parameters.finish()?;
    let sessions = identity.list_sessions.handle(&actor).await?;
    let place = |it: &SessionView| Key::by_time(it.record.opened_at, it.record.id);
    Ok(told::<_, SessionBody>(&request, wanted.as_ref(), sessions, true, place))
}

/// End one of one's own sign-ins.
#[utoipa::path(
    tag = "auth",
    security(("bearer" = [])),
    params(("session_id" = SessionRef, Path, description = "Which sign-in")),
    responses((status = 204, description = "It has ended"), Reading)
)]
#[delete("/auth/sessions/{session_id}")]
async fn end_session(
    identity: Data<Identity>,
    CurrentActor(actor): CurrentActor,
    Id(session): Id<SessionId>,
) -> Result<HttpResponse, Problem> {
    identity.end_session.handle(&actor, EndSession { session }).await?;
    Ok(HttpResponse::NoContent().finish())
}
