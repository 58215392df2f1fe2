use actix_web::{HttpRequest, HttpResponse, delete, get, post, web::Data};
use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{
    error::{Error, Refused},
    identity::{ApiKeys, GetKey, IssueKey, KeyView, KeyWithSecret, ListKeys, RevokeKey, RotateKey, checked_scopes},
};
use devskyy_domain::{
    identity::KeyName,
    kernel::{
        Version,
        ids::{ApiKeyId, ProjectId},
    },
    projects::ProjectRole,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    bounds::{KeyNameText, ProjectRoleName, SCOPES},
    extract::{
        Body, CurrentActor, Id, IfMatch, Paged, Parameters, Revision, changed, created, digest, page, paged, shown,
    },
    ids::{ApiKeyRef, ProjectRef, UserRef},
    mount::Mount,
    openapi::{
        answers::{Acting, Changing, Creating, Narrowed, Reading},
        headers::{IdempotencyKey, OnlyIf, Unless},
        parts::Paging,
    },
    problem::Problem,
    version::address,
};

/// Seconds that a replaced secret stays valid by default: a day.
const USUAL_OVERLAP: u32 = 86_400;

pub(super) fn configure(config: &mut impl Mount) {
    config.service(issue_key).service(list_keys).service(get_key).service(revoke_key).service(rotate_key);
}

/// An API key to issue.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "deploy", "role": "operator", "scopes": ["runs.start", "runs.read"], "expires_at": "2027-01-01T00:00:00Z"}))]
struct NewApiKey {
    /// The name.
    #[schema(value_type = KeyNameText)]
    name: String,
    /// The role: `owner`, `maintainer`, `operator` or `viewer`, at most one's own.
    #[schema(value_type = ProjectRoleName)]
    role: String,
    /// The scopes, by names of permissions; everything that the role allows today if omitted.
    #[validate(length(max = SCOPES))]
    #[schema(max_items = 64)]
    scopes: Option<Vec<String>>,
    /// When it expires, at most 365 days from now.
    expires_at: DateTime<Utc>,
}

impl NewApiKey {
    fn command(self, project: ProjectId) -> Result<IssueKey, Error> {
        let (name, role) = (KeyName::parse(&self.name), ProjectRole::parse(&self.role));
        match (name, role) {
            (Ok(name), Ok(role)) => {
                let scopes = checked_scopes(self.scopes.as_deref(), role)?;
                Ok(IssueKey { project, name, role, scopes, expires_at: self.expires_at, idempotency: None })
            }
            (name, role) => {
                let wrong = [name.err().map(Refused::from), role.err().map(Refused::from)];
                Err(Error::Invalid(wrong.into_iter().flatten().collect()))
            }
        }
    }
}

/// The rotation of a secret.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"overlap_s": 3600}))]
struct Rotation {
    /// Seconds for which the present secret stays valid, at most 7 days; one day if omitted.
    #[schema(maximum = 604_800)]
    overlap_s: Option<u32>,
    /// The new expiry of the key; unchanged if omitted.
    expires_at: Option<DateTime<Utc>>,
}

/// A program's way into one project, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
struct ApiKeyBody {
    /// Which.
    id: ApiKeyRef,
    /// The project it opens.
    project_id: ProjectRef,
    /// The name.
    #[schema(example = "deploy")]
    name: String,
    /// The role; it never exceeds the issuer's role at that moment.
    #[schema(value_type = ProjectRoleName)]
    role: &'static str,
    /// The scopes.
    scopes: Vec<String>,
    /// The person whose power it borrows.
    issued_by: UserRef,
    /// `active`, `expired` or `revoked`.
    #[schema(example = "active")]
    status: &'static str,
    /// When it expires.
    expires_at: DateTime<Utc>,
    /// When it was issued.
    created_at: DateTime<Utc>,
    /// When it was last rotated.
    rotated_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    revoked_at: Option<DateTime<Utc>>,
    /// When it was last used, to within seconds.
    last_used_at: Option<DateTime<Utc>>,
    /// Its version, also its `ETag`.
    version: Version,
}

impl From<KeyView> for ApiKeyBody {
    fn from(key: KeyView) -> Self {
        let KeyView { record, status, last_used_at } = key;
        Self {
            id: record.id.into(),
            project_id: record.project.into(),
            name: record.name,
            role: record.role.as_str(),
            scopes: record.scopes,
            issued_by: record.issuer.into(),
            status: status.as_str(),
            expires_at: record.expires_at,
            created_at: record.created_at,
            rotated_at: record.rotated_at,
            revoked_at: record.revoked_at,
            last_used_at,
            version: record.version,
        }
    }
}

impl Revision for ApiKeyBody {
    fn version(&self) -> Version {
        self.version
    }

    /// Use and expiry have no author and no version.
    fn beside_version(&self) -> Option<u32> {
        let used = self.last_used_at.map(|at| at.timestamp_micros().to_string());
        Some(digest(&[self.status, used.as_deref().unwrap_or_default()]))
    }
}

/// An API key with what to present.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKeyWithSecret)]
struct SecretBody {
    #[serde(flatten)]
    body: ApiKeyBody,
    /// The key itself, shown this once; `null` when the answer to an earlier identical request is repeated.
    #[schema(example = "dsk_0193…_q0Vx…_1f2e3d4c")]
    key: Option<String>,
}

impl Revision for SecretBody {
    fn version(&self) -> Version {
        self.body.version()
    }

    fn beside_version(&self) -> Option<u32> {
        self.body.beside_version()
    }
}

impl From<KeyWithSecret> for SecretBody {
    fn from(key: KeyWithSecret) -> Self {
        Self { body: key.view.into(), key: key.text }
    }
}

/// Issue an API key.
///
/// The key is shown once. It never exceeds what its issuer may do at that moment.
#[utoipa::path(
    tag = "api-keys",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), IdempotencyKey),
    request_body = NewApiKey,
    responses((status = 201, description = "The key, shown this once", body = SecretBody), Creating)
)]
#[post("/projects/{id}/api-keys")]
async fn issue_key(
    keys: Data<ApiKeys>,
    CurrentActor(actor): CurrentActor,
    Id(project): Id<ProjectId>,
    body: Body<NewApiKey>,
) -> Result<HttpResponse, Problem> {
    let (body, idempotency) = body.keyed(&actor);
    let command = IssueKey { idempotency, ..body.command(project)? };
    let issued = SecretBody::from(keys.issue.handle(&actor, command).await?);
    let location = address(format_args!("/projects/{}/api-keys/{}", issued.body.project_id, issued.body.id));
    Ok(created(location, &issued))
}

/// List a project's API keys, including revoked and expired ones, newest first.
#[utoipa::path(
    tag = "api-keys",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), Paging),
    responses((status = 200, description = "One page of them", body = Paged<ApiKeyBody>), Narrowed)
)]
#[get("/projects/{id}/api-keys")]
async fn list_keys(
    keys: Data<ApiKeys>,
    CurrentActor(actor): CurrentActor,
    Id(project): Id<ProjectId>,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let page = page(&mut parameters);
    parameters.finish()?;
    let found = keys.list.handle(&actor, ListKeys { project, page: page.clone() }).await?;
    Ok(paged(&request, &page, found.map(ApiKeyBody::from)))
}

/// Show an API key, never its secret.
#[utoipa::path(
    tag = "api-keys",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), ("key_id" = ApiKeyRef, Path, description = "Which key"), Unless),
    responses(
        (status = 200, description = "The key", body = ApiKeyBody),
        (status = 304, description = "Nothing newer than `If-None-Match`"),
        Reading
    )
)]
#[get("/projects/{id}/api-keys/{key_id}")]
async fn get_key(
    keys: Data<ApiKeys>,
    CurrentActor(actor): CurrentActor,
    Id((project, key)): Id<(ProjectId, ApiKeyId)>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let found = keys.get.handle(&actor, GetKey { project, key }).await?;
    shown(&request, &ApiKeyBody::from(found))
}

/// Revoke an API key.
///
/// It becomes invalid everywhere within five seconds.
#[utoipa::path(
    tag = "api-keys",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), ("key_id" = ApiKeyRef, Path, description = "Which key"), OnlyIf),
    responses((status = 204, description = "It is revoked"), Acting)
)]
#[delete("/projects/{id}/api-keys/{key_id}")]
async fn revoke_key(
    keys: Data<ApiKeys>,
    CurrentActor(actor): CurrentActor,
    Id((project, key)): Id<(ProjectId, ApiKeyId)>,
    only_if: IfMatch,
) -> Result<HttpResponse, Problem> {
    let current = async { Ok(keys.get.handle(&actor, GetKey { project, key }).await?.record.version) };
    let expected = only_if.expected(current).await?;
    keys.revoke.handle(&actor, RevokeKey { project, key, expected }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Rotate an API key.
///
/// The new secret is shown once; the old one stays valid for the overlap.
#[utoipa::path(
    tag = "api-keys",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), ("key_id" = ApiKeyRef, Path, description = "Which key"), OnlyIf, IdempotencyKey),
    request_body = Rotation,
    responses((status = 200, description = "The key, shown this once", body = SecretBody), Changing)
)]
#[post("/projects/{id}/api-keys/{key_id}/rotate")]
async fn rotate_key(
    keys: Data<ApiKeys>,
    CurrentActor(actor): CurrentActor,
    Id((project, key)): Id<(ProjectId, ApiKeyId)>,
    only_if: IfMatch,
    body: Body<Rotation>,
) -> Result<HttpResponse, Problem> {
    let current = async { Ok(keys.get.handle(&actor, GetKey { project, key }).await?.record.version) };
    let expected = only_if.expected(current).await?;
    let (Rotation { overlap_s, expires_at }, idempotency) = body.keyed(&actor);
    let overlap = TimeDelta::seconds(overlap_s.unwrap_or(USUAL_OVERLAP).into());
    let command = RotateKey { project, key, overlap, expires_at, expected, idempotency };
    Ok(changed(&SecretBody::from(keys.rotate.handle(&actor, command).await?)))
}
