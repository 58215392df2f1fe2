use std::collections::BTreeMap;

use devskyy_domain::{
    kernel::ids::{ProjectId, ProviderId},
    models::{
        AllowedModels, NewProvider, Price, PriceList, Provider, ProviderError, ProviderKind, ProviderName, ProviderUrl,
    },
};

use super::{
    provider_ports::ProviderSecret,
    provider_views::ProviderView,
    providers::{Desk, name_claim},
};
use crate::{
    access::Permission,
    context::Actor,
    error::{Error, Refused},
    es::{ClaimChange, Idempotency},
};

/// A request to add a provider.
#[derive(Debug)]
pub struct AddProvider {
    /// The project.
    pub project: ProjectId,
    /// Its name.
    pub name: ProviderName,
    /// Its API.
    pub kind: ProviderKind,
    /// Its base URL.
    pub base_url: ProviderUrl,
    /// The allowed models.
    pub models: AllowedModels,
    /// Their prices.
    pub prices: PriceList,
    /// Its API key, if it needs one.
    pub key: Option<ProviderSecret>,
    /// Recognises a repeated request.
    pub idempotency: Option<Idempotency>,
}

/// A provider with raw values.
#[derive(Debug)]
pub struct RawProvider {
    /// Its name.
    pub name: String,
    /// Its API.
    pub kind: String,
    /// Its base URL.
    pub base_url: String,
    /// The allowed models.
    pub models: Vec<String>,
    /// Their prices.
    pub prices: BTreeMap<String, Price>,
    /// Its API key.
    pub key: Option<ProviderSecret>,
}

impl AddProvider {
    /// Parses raw values and reports all that are invalid.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a refusal per invalid member.
    pub fn parse(project: ProjectId, raw: RawProvider) -> Result<Self, Error> {
        let (name, kind) = (ProviderName::parse(&raw.name), ProviderKind::parse(&raw.kind));
        let (base_url, models) = (ProviderUrl::parse(&raw.base_url), AllowedModels::parse(&raw.models));
        match (name, kind, base_url, models, PriceList::parse(raw.prices)) {
            (Ok(name), Ok(kind), Ok(base_url), Ok(models), Ok(prices)) => {
                Ok(Self { project, name, kind, base_url, models, prices, key: raw.key, idempotency: None })
            }
            (name, kind, base_url, models, prices) => {
                let wrong = [name.err(), kind.err(), base_url.err(), models.err(), prices.err()];
                Err(Error::Invalid(wrong.into_iter().flatten().map(Refused::from).collect()))
            }
        }
    }
}

/// Adds providers to projects.
pub struct AddProviderHandler(pub(super) Desk);

impl AddProviderHandler {
    /// Adds the provider and returns it without its key.
    ///
    /// # Errors
    /// [`devskyy_domain::models::ProviderError`], an access error, or a failing port.
    #[tracing::instrument(name = "models.add_provider", skip_all, fields(project = %command.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: AddProvider) -> Result<ProviderView, Error> {
        let idempotency = command.idempotency.clone();
        match self.add(actor, command).await {
            Ok(added) => self.0.show(added).await,
            Err(refused) => {
                let context = actor.event_context(None);
                let before = self.0.providers.created_before(context, idempotency.as_ref(), refused).await?;
                self.0.show(before.id).await
            }
        }
    }

    async fn add(&self, actor: &Actor, command: AddProvider) -> Result<ProviderId, Error> {
        let AddProvider { project, name, kind, base_url, models, prices, key, idempotency } = command;
        self.0.ports.access.require(actor, project, Permission::ProvidersWrite).await?;
        self.0.admit(base_url.as_str())?;
        let id = ProviderId::from(self.0.ports.ids.next());
        let kept = self.0.keep(id, base_url.as_str(), key.as_ref()).await?;
        let new = NewProvider { project, name, kind, base_url, models, prices, key: kept };
        let events = Provider::default().add(&new)?;
        let claim = ClaimChange::Take { claim: name_claim(project, new.name.as_str()), owner: id.into() };
        let context = actor.event_context(Some(project));
        let created = self.0.providers.create(context, id, &events, vec![claim], vec![], idempotency).await;
        if created.as_ref().map_or_else(Error::surely_refused, |created| created.replayed) {
            self.0.let_go(kept).await;
        }
        created.map(|created| created.id).map_err(|error| error.where_taken(ProviderError::NameTaken))
    }
}
