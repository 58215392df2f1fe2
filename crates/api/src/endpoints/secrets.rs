use actix_web::{HttpRequest, HttpResponse, delete, get, post, put, web::Data};
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::{Error, Refused},
    secrets::{AddSecret, GetSecret, ListSecrets, ProjectSecrets, RawSecret, RemoveSecret, ReplaceSecret, SecretView},
};
use devskyy_domain::{
    kernel::{
        Version,
        ids::{ProjectId, SecretId},
    },
    secrets::{SecretHosts, SecretValue},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    bounds::{SecretHostList, SecretNameText, SecretValueText},
    extract::{Body, CurrentActor, Id, IfMatch, Paged, Parameters, Revision, changed, created, page, paged, shown},
    ids::{ProjectRef, SecretRef},
    mount::Mount,
    openapi::{
        answers::{Acting, Changing, Creating, Narrowed, Reading},
        headers::{IdempotencyKey, OnlyIf, Unless},
        parts::Paging,
    },
    problem::Problem,
    version::address,
};

pub(super) fn configure(config: &mut impl Mount) {
    config.service(add_secret).service(list_secrets).service(get_secret).service(replace_secret).service(remove_secret);
}

/// A tool secret to add.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "tracker", "value": "tr-0123456789", "hosts": ["tracker.example.org"]}))]
struct NewSecret {
    /// The name by which templates use it: `{{ secrets.tracker }}`; unique in the project.
    #[schema(value_type = SecretNameText)]
    name: String,
    /// The value. It is sealed, sent to its hosts only, and never shown again.
    #[schema(value_type = SecretValueText)]
    value: String,
    /// The hosts it may be sent to: `host` for the default port of the scheme, `host:port` for another port.
    #[schema(value_type = SecretHostList)]
    hosts: Vec<String>,
}

/// A new value of a secret.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"value": "tr-9876543210"}))]
struct NewSecretValue {
    /// The value. The next call that uses the secret sends it.
    #[schema(value_type = SecretValueText)]
    value: String,
    /// The hosts it may be sent to; unchanged if omitted.
    #[schema(value_type = Option<SecretHostList>)]
    hosts: Option<Vec<String>>,
}

/// A secret of tools, without its value.
#[derive(Serialize, ToSchema)]
#[schema(as = Secret)]
struct SecretBody {
    /// Which.
    id: SecretRef,
    /// The project whose tools may use it.
    project_id: ProjectRef,
    /// The name by which templates use it.
    #[schema(example = "tracker")]
    name: String,
    /// The hosts it may be sent to.
    hosts: Vec<String>,
    /// When it was added.
    created_at: DateTime<Utc>,
    /// When its value was last replaced.
    updated_at: DateTime<Utc>,
    /// Its version, also its `ETag`.
    version: Version,
}

impl From<SecretView> for SecretBody {
    fn from(view: SecretView) -> Self {
        Self {
            id: view.id.into(),
            project_id: view.project.into(),
            name: view.name,
            hosts: view.hosts.iter().map(str::to_owned).collect(),
            created_at: view.created_at,
            updated_at: view.updated_at,
            version: view.version,
        }
    }
}

impl Revision for SecretBody {
    fn version(&self) -> Version {
        self.version
    }
}

/// Add a tool secret.
///
/// Tools insert it into headers and bodies as `{{ secrets.name }}`.
#[utoipa::path(
    tag = "secrets",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), IdempotencyKey),
    request_body = NewSecret,
    responses((status = 201, description = "The secret, without its value", body = SecretBody), Creating)
)]
#[post("/projects/{id}/secrets")]
async fn add_secret(
    secrets: Data<ProjectSecrets>,
    CurrentActor(actor): CurrentActor,
    Id(project): Id<ProjectId>,
    body: Body<NewSecret>,
) -> Result<HttpResponse, Problem> {
    let (NewSecret { name, value, hosts }, idempotency) = body.keyed(&actor);
    let command = AddSecret { idempotency, ..AddSecret::parse(project, &RawSecret { name, hosts, value })? };
    let added = SecretBody::from(secrets.add.handle(&actor, command).await?);
    let location = address(format_args!("/projects/{}/secrets/{}", added.project_id, added.id));
    Ok(created(location, &added))
}

/// List a project's tool secrets without their values, newest first.
#[utoipa::path(
    tag = "secrets",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), Paging),
    responses((status = 200, description = "One page of them", body = Paged<SecretBody>), Narrowed)
)]
#[get("/projects/{id}/secrets")]
async fn list_secrets(
    secrets: Data<ProjectSecrets>,
    CurrentActor(actor): CurrentActor,
    Id(project): Id<ProjectId>,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let page = page(&mut parameters);
    parameters.finish()?;
    let found = secrets.list.handle(&actor, ListSecrets { project, page: page.clone() }).await?;
    Ok(paged(&request, &page, found.map(SecretBody::from)))
}

/// Show a tool secret, never its value.
#[utoipa::path(
    tag = "secrets",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), ("secret_id" = SecretRef, Path, description = "Which secret"), Unless),
    responses(
        (status = 200, description = "The secret", body = SecretBody),
        (status = 304, description = "Nothing newer than `If-None-Match`"),
        Reading
    )
)]
#[get("/projects/{id}/secrets/{secret_id}")]
async fn get_secret(
    secrets: Data<ProjectSecrets>,
    CurrentActor(actor): CurrentActor,
    Id((project, secret)): Id<(ProjectId, SecretId)>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let found = secrets.get.handle(&actor, GetSecret { project, secret }).await?;
    shown(&request, &SecretBody::from(found))
}

/// Replace the value of a tool secret.
///
/// Hosts can be changed only together with the value, so that nobody can redirect a value they do not know.
#[utoipa::path(
    tag = "secrets",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), ("secret_id" = SecretRef, Path, description = "Which secret"), OnlyIf),
    request_body = NewSecretValue,
    responses((status = 200, description = "The secret, without its value", body = SecretBody), Changing)
)]
#[put("/projects/{id}/secrets/{secret_id}")]
async fn replace_secret(
    secrets: Data<ProjectSecrets>,
    CurrentActor(actor): CurrentActor,
    Id((project, secret)): Id<(ProjectId, SecretId)>,
    only_if: IfMatch,
    body: Body<NewSecretValue>,
) -> Result<HttpResponse, Problem> {
    let current = async { Ok(secrets.get.handle(&actor, GetSecret { project, secret }).await?.version) };
    let expected = only_if.expected(current).await?;
    let body = body.into_inner();
    let (value, hosts) = (SecretValue::parse(&body.value), body.hosts.as_deref().map(SecretHosts::parse).transpose());
    let (value, hosts) = match (value, hosts) {
        (Ok(value), Ok(hosts)) => (value, hosts),
        (value, hosts) => {
            let wrong = [value.err(), hosts.err()].into_iter().flatten();
            return Err(Error::Invalid(wrong.map(Refused::from).collect()).into());
        }
    };
    let command = ReplaceSecret { project, secret, value, hosts, expected };
    Ok(changed(&SecretBody::from(secrets.replace.handle(&actor, command).await?)))
}

/// Remove a tool secret and its value.
#[utoipa::path(
    tag = "secrets",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), ("secret_id" = SecretRef, Path, description = "Which secret"), OnlyIf),
    responses((status = 204, description = "It is removed"), Acting)
)]
#[delete("/projects/{id}/secrets/{secret_id}")]
async fn remove_secret(
    secrets: Data<ProjectSecrets>,
    CurrentActor(actor): CurrentActor,
    Id((project, secret)): Id<(ProjectId, SecretId)>,
    only_if: IfMatch,
) -> Result<HttpResponse, Problem> {
    let current = async { Ok(secrets.remove.version(&actor, project, secret).await?) };
    let expected = only_if.expected(current).await?;
    secrets.remove.handle(&actor, RemoveSecret { project, secret, expected }).await?;
    Ok(HttpResponse::NoContent().finish())
}
