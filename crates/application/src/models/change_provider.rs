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

/// Asks for a provider to be different; `None` leaves a part as it is.
#[derive(Debug)]
pub struct ChangeProvider {
    /// Of which project.
    pub project: ProjectId,
    /// Which.
    pub provider: ProviderId,
    /// Where it is reached. Without a key beside it, a key it has is dropped.
    pub base_url: Option<ProviderUrl>,
    /// What it may be asked for.
    pub models: Option<AllowedModels>,
    /// What that costs.
    pub prices: Option<PriceList>,
    /// Whether it may be asked at all.
    pub enabled: Option<bool>,
    /// What it is paid with.
    pub key: Option<ProviderSecret>,
    /// Its version the caller last saw, if it cares.
    pub expected: Option<Version>,
}

impl ChangeProvider {
    /// Changes nothing but the key.
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
    /// Changes the provider and returns it, without its key.
    ///
    /// # Errors
    /// [`devskyy_domain::models::ProviderError`], [`Error::StaleVersion`], [`Error::NotFound`], what access demands, or
    /// a failing port.
    #[tracing::instrument(name = "models.change_provider", skip_all, fields(provider = %command.provider), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: ChangeProvider) -> Result<ProviderView, Error> {
        let ChangeProvider { project, provider, base_url, models, prices, enabled, key, expected } = command;
        let seen = self.0.of_project(actor, project, provider, Permission::ProvidersWrite).await?;
        if let Some(base_url) = &base_url {
            self.0.admit(base_url.as_str())?;
        }
        // The key is bound to the address it was handed over for. Should somebody move the provider in between, the
        // state is not the one that was seen, and the caller hears of it.
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
