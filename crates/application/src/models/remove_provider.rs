use devskyy_domain::{
    kernel::{
        Version,
        ids::{ProjectId, ProviderId},
    },
    models::Provider,
};

use super::providers::{Desk, held, name_claim};
use crate::{
    access::Permission,
    context::Actor,
    error::Error,
    es::{ClaimChange, Loaded},
};

/// A request to remove a provider.
#[derive(Debug)]
pub struct RemoveProvider {
    /// The project.
    pub project: ProjectId,
    /// The provider.
    pub provider: ProviderId,
    /// The version the caller expects, if any.
    pub expected: Option<Version>,
}

/// Removes providers.
pub struct RemoveProviderHandler(pub(super) Desk);

impl RemoveProviderHandler {
    /// Removes the provider and its key; its name becomes free. Removing it again has no effect.
    ///
    /// # Errors
    /// [`Error::StaleVersion`], [`Error::NotFound`], an access error, or a failing port.
    #[tracing::instrument(name = "models.remove_provider", skip_all, fields(provider = %command.provider), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: RemoveProvider) -> Result<(), Error> {
        let RemoveProvider { project, provider, expected } = command;
        let seen = self.known(actor, project, provider).await?;
        let Ok(details) = seen.state.added() else { return Ok(()) };
        let context = actor.event_context(Some(project));
        let freed = |_: &Provider, _: &[_]| {
            let claim = name_claim(project, details.name.as_str());
            vec![ClaimChange::Release { claim, owner: provider.into() }]
        };
        self.0.providers.update_claiming(context, provider, expected, Provider::remove, freed).await?;
        self.0.let_go(held(details.key)).await;
        Ok(())
    }

    /// The version of a provider, even if it is removed.
    ///
    /// # Errors
    /// [`Error::NotFound`], an access error, or a failing port.
    pub async fn version(&self, actor: &Actor, project: ProjectId, provider: ProviderId) -> Result<Version, Error> {
        Ok(self.known(actor, project, provider).await?.version)
    }

    async fn known(&self, actor: &Actor, project: ProjectId, provider: ProviderId) -> Result<Loaded<Provider>, Error> {
        self.0.ports.access.require(actor, project, Permission::ProvidersWrite).await?;
        let loaded = self.0.providers.load(provider).await?;
        let of = match &loaded.state {
            Provider::Unknown => None,
            Provider::Added(details) => Some(details.project),
            Provider::Removed(project) => Some(*project),
        };
        if of == Some(project) { Ok(loaded) } else { Err(Error::NotFound(format!("provider {provider}"))) }
    }
}
