use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, put, web::Data};
use devskyy_application::{
    error::{Error, Refused},
    models::{
        AddProvider, ChangeProvider, GetProvider, ListProviders, ProviderSecret, Providers, RawProvider,
        RemoveProvider, TestProvider,
    },
};
use devskyy_domain::{
    kernel::{
        Version,
        ids::{ProjectId, ProviderId},
    },
    models::{AllowedModels, PriceList, ProviderUrl},
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::provider_bodies::{PriceBody, ProviderBody, ReachabilityBody};
use crate::{
    bounds::{ProviderKeyText, ProviderKindName, ProviderNameText, ProviderUrlText},
    extract::{self, Body, CurrentActor, Id, IfMatch, Paged, Parameters, created, page, paged, shown},
    ids::{ProjectRef, ProviderRef},
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
    config
        .service(add_provider)
        .service(list_providers)
        .service(get_provider)
        .service(change_provider)
        .service(remove_provider)
        .service(set_provider_key)
        .service(test_provider);
}

/// A model provider to add.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "openai", "kind": "openai", "base_url": "https://api.openai.com/v1", "key": "sk-…", "models": ["gpt-4o"], "prices": {"gpt-4o": {"input": 2_500_000, "output": 10_000_000}}}))]
struct NewProvider {
    /// The name before the slash in the names of its models; unique in the project.
    #[schema(value_type = ProviderNameText)]
    name: String,
    /// The protocol: `openai` (chat completions; also gateways and local servers) or `anthropic`.
    #[schema(value_type = ProviderKindName)]
    kind: String,
    /// The base URL.
    #[schema(value_type = ProviderUrlText)]
    base_url: String,
    /// The API key. It is sealed, sent to this address only, and never shown again.
    #[schema(value_type = Option<ProviderKeyText>)]
    key: Option<String>,
    /// Models that may be used, by the provider's own names; all of them if omitted.
    models: Option<Vec<String>>,
    /// The prices of its models.
    prices: Option<BTreeMap<String, PriceBody>>,
}

/// The changes; an omitted member stays unchanged.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProviderChange, example = json!({"enabled": false}))]
struct ProviderChange {
    /// The base URL. A change without a new key drops the present key: no model is called until another one is set.
    #[schema(value_type = Option<ProviderUrlText>)]
    base_url: Option<String>,
    /// The new API key.
    #[schema(value_type = Option<ProviderKeyText>)]
    key: Option<String>,
    /// Models it may be asked for; none for every one.
    models: Option<Vec<String>>,
    /// The prices of its models; replaces all present ones.
    prices: Option<BTreeMap<String, PriceBody>>,
    /// Whether the provider may be used.
    enabled: Option<bool>,
}

/// A new API key of a provider.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"key": "sk-…"}))]
struct NewProviderKey {
    /// The key. It is sealed, sent to the provider's present address only, and never shown again.
    #[schema(value_type = ProviderKeyText)]
    key: String,
}

fn secret(raw: Option<&str>) -> Result<Option<ProviderSecret>, Error> {
    Ok(raw.map(ProviderSecret::parse).transpose()?)
}

fn prices(raw: BTreeMap<String, PriceBody>) -> BTreeMap<String, devskyy_domain::models::Price> {
    raw.into_iter().map(|(model, price)| (model, price.into())).collect()
}

impl NewProvider {
    fn command(self, project: ProjectId) -> Result<AddProvider, Error> {
        let key = secret(self.key.as_deref())?;
        let (models, prices) = (self.models.unwrap_or_default(), prices(self.prices.unwrap_or_default()));
        let raw = RawProvider { name: self.name, kind: self.kind, base_url: self.base_url, models, prices, key };
        AddProvider::parse(project, raw)
    }
}

impl ProviderChange {
    fn command(self, project: ProjectId, provider: ProviderId) -> Result<ChangeProvider, Error> {
        let base_url = self.base_url.as_deref().map(ProviderUrl::parse).transpose();
        let models = self.models.as_deref().map(AllowedModels::parse).transpose();
        let prices = self.prices.map(|raw| PriceList::parse(prices(raw))).transpose();
        match (base_url, models, prices, self.key.as_deref().map(ProviderSecret::parse).transpose()) {
            (Ok(base_url), Ok(models), Ok(prices), Ok(key)) => {
                let (enabled, expected) = (self.enabled, None);
                Ok(ChangeProvider { project, provider, base_url, models, prices, enabled, key, expected })
            }
            (base_url, models, prices, key) => {
                let wrong = [base_url.err(), models.err(), prices.err(), key.err()];
                Err(Error::Invalid(wrong.into_iter().flatten().map(Refused::from).collect()))
            }
        }
    }
}

/// Add a model provider.
///
/// A project's own provider takes precedence over the operator's of the same name.
#[utoipa::path(
    tag = "providers",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), IdempotencyKey),
    request_body = NewProvider,
    responses((status = 201, description = "The provider, without its key", body = ProviderBody), Creating)
)]
#[post("/projects/{id}/providers")]
async fn add_provider(
    providers: Data<Providers>,
    CurrentActor(actor): CurrentActor,
    Id(project): Id<ProjectId>,
    body: Body<NewProvider>,
) -> Result<HttpResponse, Problem> {
    let (body, idempotency) = body.keyed(&actor);
    let command = AddProvider { idempotency, ..body.command(project)? };
    let added = ProviderBody::from(providers.add.handle(&actor, command).await?);
    let location = address(format_args!("/projects/{}/providers/{}", added.project_id, added.id));
    Ok(created(location, &added))
}

/// List a project's model providers, newest first.
#[utoipa::path(
    tag = "providers",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), Paging),
    responses((status = 200, description = "One page of them", body = Paged<ProviderBody>), Narrowed)
)]
#[get("/projects/{id}/providers")]
async fn list_providers(
    providers: Data<Providers>,
    CurrentActor(actor): CurrentActor,
    Id(project): Id<ProjectId>,
    request: HttpRequest,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let page = page(&mut parameters);
    parameters.finish()?;
    let found = providers.list.handle(&actor, ListProviders { project, page: page.clone() }).await?;
    Ok(paged(&request, &page, found.map(ProviderBody::from)))
}

/// Show a model provider, never its key.
#[utoipa::path(
    tag = "providers",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), ("provider_id" = ProviderRef, Path, description = "Which provider"), Unless),
    responses(
        (status = 200, description = "The provider", body = ProviderBody),
        (status = 304, description = "Nothing newer than `If-None-Match`"),
        Reading
    )
)]
#[get("/projects/{id}/providers/{provider_id}")]
async fn get_provider(
    providers: Data<Providers>,
    CurrentActor(actor): CurrentActor,
    Id((project, provider)): Id<(ProjectId, ProviderId)>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let found = providers.get.handle(&actor, GetProvider { project, provider }).await?;
    shown(&request, &ProviderBody::from(found))
}

/// Change a model provider.
#[utoipa::path(
    tag = "providers",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), ("provider_id" = ProviderRef, Path, description = "Which provider"), OnlyIf),
    request_body = ProviderChange,
    responses((status = 200, description = "The provider as it is now", body = ProviderBody), Changing)
)]
#[patch("/projects/{id}/providers/{provider_id}")]
async fn change_provider(
    providers: Data<Providers>,
    CurrentActor(actor): CurrentActor,
    Id((project, provider)): Id<(ProjectId, ProviderId)>,
    only_if: IfMatch,
    body: Body<ProviderChange>,
) -> Result<HttpResponse, Problem> {
    let expected = only_if.expected(version(&providers, &actor, project, provider)).await?;
    let command = ChangeProvider { expected, ..body.into_inner().command(project, provider)? };
    changed(&providers, &actor, command).await
}

/// Set the API key of a model provider.
#[utoipa::path(
    tag = "providers",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), ("provider_id" = ProviderRef, Path, description = "Which provider"), OnlyIf),
    request_body = NewProviderKey,
    responses((status = 200, description = "The provider, without its key", body = ProviderBody), Changing)
)]
#[put("/projects/{id}/providers/{provider_id}/key")]
async fn set_provider_key(
    providers: Data<Providers>,
    CurrentActor(actor): CurrentActor,
    Id((project, provider)): Id<(ProjectId, ProviderId)>,
    only_if: IfMatch,
    body: Body<NewProviderKey>,
) -> Result<HttpResponse, Problem> {
    let expected = only_if.expected(version(&providers, &actor, project, provider)).await?;
    let key = ProviderSecret::parse(&body.into_inner().key).map_err(Error::from)?;
    changed(&providers, &actor, ChangeProvider::of_key(project, provider, key, expected)).await
}

/// Remove a model provider and its key.
#[utoipa::path(
    tag = "providers",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), ("provider_id" = ProviderRef, Path, description = "Which provider"), OnlyIf),
    responses((status = 204, description = "It is removed"), Acting)
)]
#[delete("/projects/{id}/providers/{provider_id}")]
async fn remove_provider(
    providers: Data<Providers>,
    CurrentActor(actor): CurrentActor,
    Id((project, provider)): Id<(ProjectId, ProviderId)>,
    only_if: IfMatch,
) -> Result<HttpResponse, Problem> {
    let current = async { Ok(providers.remove.version(&actor, project, provider).await?) };
    let expected = only_if.expected(current).await?;
    providers.remove.handle(&actor, RemoveProvider { project, provider, expected }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Test a model provider.
///
/// Requests its list of models, which costs nothing. A provider that does not respond is a result, not an error.
#[utoipa::path(
    tag = "providers",
    security(("bearer" = [])),
    params(("id" = ProjectRef, Path, description = "Which project"), ("provider_id" = ProviderRef, Path, description = "Which provider")),
    responses((status = 200, description = "Whether it responds, and its models", body = ReachabilityBody), Acting)
)]
#[post("/projects/{id}/providers/{provider_id}/test")]
async fn test_provider(
    providers: Data<Providers>,
    CurrentActor(actor): CurrentActor,
    Id((project, provider)): Id<(ProjectId, ProviderId)>,
) -> Result<HttpResponse, Problem> {
    let reached = providers.test.handle(&actor, TestProvider { project, provider }).await?;
    Ok(HttpResponse::Ok().json(ReachabilityBody::from(reached)))
}

async fn version(
    providers: &Providers,
    actor: &devskyy_application::context::Actor,
    project: ProjectId,
    provider: ProviderId,
) -> Result<Version, Problem> {
    Ok(providers.get.handle(actor, GetProvider { project, provider }).await?.record.version)
}

async fn changed(
    providers: &Providers,
    actor: &devskyy_application::context::Actor,
    command: ChangeProvider,
) -> Result<HttpResponse, Problem> {
    Ok(extract::changed(&ProviderBody::from(providers.change.handle(actor, command).await?)))
}
