use actix_web::{HttpRequest, HttpResponse, get, post, web::Data};
use devskyy_application::identity::{self, Identity, Tokens};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::bodies::UserBody;
use crate::{
    bounds::{DisplayNameText, EmailText, NewPasswordText, PRESENTED, PasswordText},
    extract::{Body, CurrentActor, Visitor, created, shown},
    mount::Mount,
    openapi::{
        answers::{Creating, Entering, Oneself, OneselfAsSeen},
        headers::{IdempotencyKey, Unless},
    },
    problem::Problem,
    version::address,
};

pub(super) fn configure(config: &mut impl Mount) {
    config.service(register).service(log_in).service(refresh).service(log_out).service(me);
}

/// An account to create.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org", "password": "Analytical1843", "name": "Ada Lovelace"}))]
struct Register {
    /// What one signs in with.
    #[schema(value_type = EmailText)]
    email: String,
    /// 8 to 128 characters with at least one digit and one upper-case letter, not a common one and not the e-mail.
    #[schema(value_type = NewPasswordText)]
    password: String,
    /// The name to go by.
    #[schema(value_type = DisplayNameText)]
    name: String,
    /// The bootstrap token of the first administrator; the first start shows where it is.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    bootstrap_token: Option<String>,
    /// The token of an invitation to register.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    invitation_token: Option<String>,
}

/// The credentials of a sign-in.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org", "password": "Analytical1843"}))]
struct LogIn {
    /// The e-mail of the account.
    #[validate(length(max = PRESENTED))]
    #[schema(max_length = 1024)]
    email: String,
    /// Its password.
    #[validate(length(max = PRESENTED))]
    #[schema(value_type = PasswordText)]
    password: String,
}

/// A refresh token to exchange.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Refresh {
    /// The refresh token of the last answer; it is good until its successor is used.
    #[validate(length(min = 1, max = 512))]
    #[schema(min_length = 1, max_length = 512)]
    refresh_token: String,
}

/// The tokens of a sign-in.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens, example = json!({
    "access_token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9.…", "token_type": "Bearer", "expires_in": 900,
    "refresh_token": "q0Vx…"
}))]
struct TokensBody {
    /// Send it as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token expires.
    expires_in: u64,
    /// Trade it for new tokens, once.
    refresh_token: String,
}

impl From<Tokens> for TokensBody {
    fn from(tokens: Tokens) -> Self {
        let Tokens { access_token, expires_in, refresh_token, .. } = tokens;
        Self { access_token, token_type: "Bearer", expires_in, refresh_token }
    }
}

/// Create an account.
///
/// The account has a personal project. With the bootstrap token it is the first administrator's. A registration
/// repeated with its key after the account was erased gets 404.
#[utoipa::path(
    tag = "auth",
    params(IdempotencyKey),
    request_body = Register,
    responses(
        (status = 201, description = "The account", body = UserBody, headers(
            ("ETag" = String, description = "The state"),
            ("Location" = String, description = "Where it is")
        )),
        Creating
    )
)]
#[post("/auth/register")]
async fn register(
    identity: Data<Identity>,
    Visitor(actor): Visitor,
    body: Body<Register>,
) -> Result<HttpResponse, Problem> {
    let (Register { email, password, name, bootstrap_token, invitation_token }, keyed) = body.of_stranger();
    let command = identity::Register::parse(&email, &password, &name, identity.password_policy)?;
    let idempotency = keyed.map(|keyed| keyed.of(&actor, command.email.as_str()));
    let command = identity::Register { bootstrap_token, invitation_token, idempotency, ..command };
    let user = identity.register.handle(&actor, command).await?;
    Ok(created(address(format_args!("/auth/me")), &UserBody::from(user)))
}

/// Sign in.
#[utoipa::path(
    tag = "auth",
    request_body = LogIn,
    responses((status = 200, description = "Tokens of a new sign-in", body = TokensBody), Entering)
)]
#[post("/auth/login")]
async fn log_in(identity: Data<Identity>, Visitor(actor): Visitor, body: Body<LogIn>) -> Result<HttpResponse, Problem> {
    let LogIn { email, password } = body.into_inner();
    let tokens = identity.log_in.handle(&actor, identity::LogIn { email, password }).await?;
    Ok(HttpResponse::Ok().json(TokensBody::from(tokens)))
}

/// Exchange the refresh token for new tokens.
///
/// If the response is lost, the same token may be sent again while its successor is unused; only the last response is
/// valid. A token that is used after that was stolen, and the sign-in ends.
#[utoipa::path(
    tag = "auth",
    request_body = Refresh,
    responses((status = 200, description = "New tokens of the same sign-in", body = TokensBody), Entering)
)]
#[post("/auth/refresh")]
async fn refresh(
    identity: Data<Identity>,
    Visitor(actor): Visitor,
    body: Body<Refresh>,
) -> Result<HttpResponse, Problem> {
    let Refresh { refresh_token } = body.into_inner();
    let tokens = identity.refresh.handle(&actor, identity::Refresh { refresh_token }).await?;
    Ok(HttpResponse::Ok().json(TokensBody::from(tokens)))
}

/// Sign out.
///
/// The access token and the refresh token become invalid.
#[utoipa::path(
    tag = "auth",
    security(("bearer" = [])),
    responses((status = 204, description = "The sign-in has ended"), Oneself)
)]
#[post("/auth/logout")]
async fn log_out(identity: Data<Identity>, CurrentActor(actor): CurrentActor) -> Result<HttpResponse, Problem> {
    identity.log_out.handle(&actor).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Show one's own account.
#[utoipa::path(
    tag = "auth",
    security(("bearer" = [])),
    params(Unless),
    responses(
        (status = 200, description = "The account", body = UserBody, headers(
            ("ETag" = String, description = "The state")
        )),
        (status = 304, description = "Nothing newer than `If-None-Match`"),
        OneselfAsSeen
    )
)]
#[get("/auth/me")]
async fn me(
    identity: Data<Identity>,
    CurrentActor(actor): CurrentActor,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let user = identity.profile.handle(&actor).await?;
    shown(&request, &UserBody::from(user))
}
