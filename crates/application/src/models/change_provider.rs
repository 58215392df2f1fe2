use devskyy_domain::{
    kernel::{
        Version,
        ids::{ProjectId, ProviderId},
    },
    models::{AllowedModels, PriceList, ProviderChange, ProviderUrl},
};

use super::{
    provider_ports::ProviderSecret,
    provider_views::ProviderView,
    providers::{Desk, gone, held},
};
use crate::{access::Permission, context::Actor, error::Error};

/// A request to change a provider; parts that are `None` stay.
#[derive(Debug)]
pub struct ChangeProvider {
    /// The project.
    pub project: ProjectId,
    /// The provider.
    pub provider: ProviderId,
    /// Its base URL. A key it has is dropped if the request contains none.
    pub base_url: Option<ProviderUrl>,
    /// The allowed models.
    pub models: Option<AllowedModels>,
    /// Their prices.
    pub prices: Option<PriceList>,
    /// Whether it is enabled.
    pub enabled: Option<bool>,
    /// Its API key.
    pub key: Option<ProviderSecret>,
    /// The version the caller expects, if any.
    pub expected: Option<Version>,
}

impl ChangeProvider {
    /// Changes only the key.
    #[must_use]
    pub const fn of_key(
        project: ProjectId,
        provider: ProviderId,
        key: ProviderSecret,
        expected: Option<Version>,
    ) -> Self {
        Self { project, provider, base_url: None, models: None, prices: None, enabled: None, key: Some(key), expected }
    }
}

/// Changes providers.
pub struct ChangeProviderHandler(pub(super) Desk);

impl ChangeProviderHandler {
    /// Changes the provider and returns it without its key.
    ///
    /// # Errors
    /// [`devskyy_domain::models::ProviderError`], [`Error::StaleVersion`], [`Error::NotFound`], an access error, or
    /// a failing port.
    #[tracing::instrument(name = "models.change_provider", skip_all, fields(provider = %command.provider), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: ChangeProvider) -> Result<ProviderView, Error> {
        let ChangeProvider { project, provider, base_url, models, prices, enabled, key, expected } = command;
        let seen = self.0.of_project(actor, project, provider, Permission::ProvidersWrite).await?;
        if let Some(base_url) = &base_url {
            self.0.admit(base_url.as_str())?;
        }
        // The key is bound to its base URL. If the provider is moved concurrently, the version differs and the caller
        // gets an error.
        let address = base_url.as_ref().map_or(seen.base_url.as_str(), ProviderUrl::as_str);
        let kept = self.0.keep(provider, address, key.as_ref()).await?;
        let expected = expected.or_else(|| kept.map(|_| seen.version));
        let change = ProviderChange { base_url, models, prices, enabled, key: kept };
        let context = actor.event_context(Some(project));
        let changed = self.0.providers.update(context, provider, expected, |it| it.change(&change)).await;
        match &changed {
            Ok(after) => {
                let now = after.state.added().ok().and_then(|details| held(details.key));
                self.0.let_go(held(seen.key).filter(|before| Some(*before) != now)).await;
            }
            Err(error) if error.surely_refused() => self.0.let_go(kept).await,
            Err(_) => {}
        }
        changed.map_err(|error| gone(error, provider))?;
        self.0.show(provider).await
    }
}
