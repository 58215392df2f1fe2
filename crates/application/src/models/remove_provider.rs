use devskyy_domain::{
    kernel::{
        Version,
        ids::{ProjectId, ProviderId},
    },
    models::Provider,
};

use super::providers::{Desk, held, name_claim};
use crate::{access::Permission, context::Actor, error::Error, es::ClaimChange};

/// Asks for a provider to be gone.
#[derive(Debug)]
pub struct RemoveProvider {
    /// Of which project.
    pub project: ProjectId,
    /// Which.
    pub provider: ProviderId,
    /// Its version the caller last saw, if it cares.
    pub expected: Option<Version>,
}

/// Removes providers.
pub struct RemoveProviderHandler(pub(super) Desk);

impl RemoveProviderHandler {
    /// Removes the provider and its key; its name becomes free.
    ///
    /// # Errors
    /// [`Error::StaleVersion`], [`Error::NotFound`], what access demands, or a failing port.
    #[tracing::instrument(name = "models.remove_provider", skip_all, fields(provider = %command.provider), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: RemoveProvider) -> Result<(), Error> {
        let RemoveProvider { project, provider, expected } = command;
        let seen = self.0.of_project(actor, project, provider, Permission::ProvidersWrite).await?;
        let context = actor.event_context(Some(project));
        let freed = |_: &Provider, _: &[_]| {
            vec![ClaimChange::Release { claim: name_claim(project, &seen.name), owner: provider.into() }]
        };
        self.0.providers.update_claiming(context, provider, expected, Provider::remove, freed).await?;
        self.0.let_go(held(seen.key)).await;
        Ok(())
    }
}
