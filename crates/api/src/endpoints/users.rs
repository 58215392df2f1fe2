use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web::Data};
use chrono::{DateTime, Utc};
use devskyy_application::{
    context::Actor,
    identity::{AccountChange, AccountView, ChangeAccount, Identity, Invitation, UserFilter, UserStatus},
    paging::{Age, Sort},
};
use devskyy_domain::{
    identity::{Email, PlatformRole},
    kernel::{Version, ids::UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    bounds::{EmailText, PlatformRoleName, UserStatusName},
    extract::{
        BY_AGE, Body, CurrentActor, Id, IfMatch, Keyed, Paged, Parameters, Revision, changed, digest, page, paged,
        shown,
    },
    ids::{ProjectRef, UserRef},
    mount::Mount,
    openapi::{
        answers::{Acting, Changing, Creating, Listing, Reading},
        headers::{IdempotencyKey, OnlyIf, Unless},
        parts::Paging,
    },
    problem::Problem,
};

pub(super) fn configure(config: &mut impl Mount) {
    config.service(list_users).service(get_user).service(change_user).service(erase_user);
    config.service(disable_user).service(enable_user).service(invite);
}

/// An account as administrators see it.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
struct AccountBody {
    /// Who.
    id: UserRef,
    /// What they sign in with, unless the account was erased.
    email: Option<String>,
    /// The name they go by, unless the account was erased.
    name: Option<String>,
    /// `admin` or `member` of the platform.
    #[schema(value_type = PlatformRoleName)]
    role: &'static str,
    /// `active`, `disabled` or `erased`.
    #[schema(value_type = UserStatusName)]
    status: &'static str,
    /// When they registered.
    created_at: DateTime<Utc>,
    /// The project made for them.
    personal_project_id: ProjectRef,
    /// Its version, also its `ETag`.
    version: Version,
}

impl From<AccountView> for AccountBody {
    fn from(AccountView { record, profile }: AccountView) -> Self {
        let (email, name) = profile.map(|profile| (profile.email, profile.name)).unzip();
        Self {
            id: record.id.into(),
            email,
            name,
            role: record.role.as_str(),
            status: record.status.as_str(),
            created_at: record.created_at,
            personal_project_id: record.personal_project.into(),
            version: record.version,
        }
    }
}

impl Revision for AccountBody {
    fn version(&self) -> Version {
        self.version
    }

    /// The name is no fact of the log and has no version.
    fn beside_version(&self) -> Option<u32> {
        Some(digest(&[self.email.as_deref().unwrap_or_default(), self.name.as_deref().unwrap_or_default()]))
    }
}

/// A new platform role.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "admin"}))]
struct NewPlatformRole {
    /// `admin` or `member`.
    #[schema(value_type = PlatformRoleName)]
    role: PlatformRole,
}

/// Which users are wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "this type only describes parameters; the handler reads them")]
struct UserParameters {
    /// Only `admin` or only `member`.
    #[param(required = false)]
    role: PlatformRoleName,
    /// Only `active`, only `disabled` or only `erased`.
    #[param(required = false)]
    status: UserStatusName,
    /// Only the account with exactly this e-mail.
    #[param(required = false)]
    email: EmailText,
    /// `created_at`, with `-` before it for descending.
    #[param(required = false, default = "created_at", pattern = "^-?(created_at)$")]
    sort: String,
}

/// List all accounts; for administrators.
#[utoipa::path(
    tag = "users",
    security(("bearer" = [])),
    params(Paging, UserParameters),
    responses((status = 200, description = "One page of them", body = Paged<AccountBody>), Listing)
)]
#[get("/users")]
async fn list_users(
    identity: Data<Identity>,
    CurrentActor(actor): CurrentActor,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let filter = UserFilter {
        role: parameters.take_by("role", "admin or member", PlatformRole::from_name),
        status: parameters.take_by("status", "active, disabled or erased", UserStatus::from_name),
        user: None,
        sort: parameters.take_sort(&BY_AGE, Sort::ascending(Age::CreatedAt)),
    };
    let email = parameters.take_by("email", "an e-mail address", |raw| Email::parse(raw).ok());
    let page = page(&mut parameters);
    parameters.finish()?;
    let found = identity.administration.list.handle(&actor, filter, email.as_ref(), &page).await?;
    Ok(paged(&request, &page, found.map(AccountBody::from)))
}

/// Show an account; for administrators.
#[utoipa::path(
    tag = "users",
    security(("bearer" = [])),
    params(("id" = UserRef, Path, description = "Who"), Unless),
    responses(
        (status = 200, description = "The account", body = AccountBody),
        (status = 304, description = "Nothing newer than `If-None-Match`"),
        Reading
    )
)]
#[get("/users/{id}")]
async fn get_user(
    identity: Data<Identity>,
    CurrentActor(actor): CurrentActor,
    Id(user): Id<UserId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    shown(&request, &AccountBody::from(identity.administration.get.handle(&actor, user).await?))
}

/// Change the platform role of an account; for administrators.
///
/// The platform keeps at least one active administrator.
#[utoipa::path(
    tag = "users",
    security(("bearer" = [])),
    params(("id" = UserRef, Path, description = "Who"), OnlyIf),
    request_body = NewPlatformRole,
    responses((status = 200, description = "The account", body = AccountBody), Changing)
)]
#[patch("/users/{id}")]
async fn change_user(
    identity: Data<Identity>,
    CurrentActor(actor): CurrentActor,
    Id(user): Id<UserId>,
    only_if: IfMatch,
    body: Body<NewPlatformRole>,
) -> Result<HttpResponse, Problem> {
    let change = AccountChange::Role(body.into_inner().role);
    apply(&identity, &actor, user, only_if, change).await
}

/// Erase an account; for administrators.
///
/// E-mail, name and password are deleted permanently, also from restored backups. The id stays in the history.
#[utoipa::path(
    tag = "users",
    security(("bearer" = [])),
    params(("id" = UserRef, Path, description = "Who"), OnlyIf),
    responses((status = 204, description = "They are forgotten"), Acting)
)]
#[delete("/users/{id}")]
async fn erase_user(
    identity: Data<Identity>,
    CurrentActor(actor): CurrentActor,
    Id(user): Id<UserId>,
    only_if: IfMatch,
) -> Result<HttpResponse, Problem> {
    apply(&identity, &actor, user, only_if, AccountChange::Erase).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Disable an account; for administrators.
///
/// Its sign-ins end within five seconds, and its API keys stop working.
#[utoipa::path(
    tag = "users",
    security(("bearer" = [])),
    params(("id" = UserRef, Path, description = "Who"), OnlyIf),
    responses((status = 200, description = "The account", body = AccountBody), Acting)
)]
#[post("/users/{id}/disable")]
async fn disable_user(
    identity: Data<Identity>,
    CurrentActor(actor): CurrentActor,
    Id(user): Id<UserId>,
    only_if: IfMatch,
) -> Result<HttpResponse, Problem> {
    apply(&identity, &actor, user, only_if, AccountChange::Disable).await
}

/// Enable a disabled account; for administrators.
#[utoipa::path(
    tag = "users",
    security(("bearer" = [])),
    params(("id" = UserRef, Path, description = "Who"), OnlyIf),
    responses((status = 200, description = "The account", body = AccountBody), Acting)
)]
#[post("/users/{id}/enable")]
async fn enable_user(
    identity: Data<Identity>,
    CurrentActor(actor): CurrentActor,
    Id(user): Id<UserId>,
    only_if: IfMatch,
) -> Result<HttpResponse, Problem> {
    apply(&identity, &actor, user, only_if, AccountChange::Enable).await
}

async fn apply(
    identity: &Identity,
    actor: &Actor,
    user: UserId,
    only_if: IfMatch,
    change: AccountChange,
) -> Result<HttpResponse, Problem> {
    let current = async { Ok(identity.administration.get.handle(actor, user).await?.record.version) };
    let expected = only_if.expected(current).await?;
    let account = identity.administration.change.handle(actor, ChangeAccount { user, change, expected }).await?;
    Ok(changed(&AccountBody::from(account)))
}

/// An invitation to open an account.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
struct InvitationBody {
    /// The token to register with, once; shown this once.
    invitation_token: String,
    /// When it expires.
    expires_at: DateTime<Utc>,
}

/// Invite a person to register; for administrators.
///
/// With an `Idempotency-Key`, a repeated request returns the same invitation.
#[utoipa::path(
    tag = "users",
    security(("bearer" = [])),
    params(IdempotencyKey),
    responses((status = 200, description = "The invitation, shown to nobody else", body = InvitationBody), Creating)
)]
#[post("/users/invitations")]
async fn invite(
    identity: Data<Identity>,
    CurrentActor(actor): CurrentActor,
    keyed: Keyed,
) -> Result<HttpResponse, Problem> {
    let Invitation { token, expires_at } = identity.invite.handle(&actor, keyed.of(&actor)).await?;
    Ok(HttpResponse::Ok().json(InvitationBody { invitation_token: token, expires_at }))
}
