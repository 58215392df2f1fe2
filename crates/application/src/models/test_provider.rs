use devskyy_domain::{
    kernel::ids::{ProjectId, ProviderId},
    models::HeldKey,
};

use super::{ports::ModelError, provider_ports::KeyBinding, provider_views::Reachability, providers::Desk};
use crate::{access::Permission, context::Actor, error::Error};

/// A query that tests a provider.
#[derive(Debug)]
pub struct TestProvider {
    /// The project.
    pub project: ProjectId,
    /// The provider.
    pub provider: ProviderId,
}

/// Tests providers.
pub struct TestProviderHandler(pub(super) Desk);

impl TestProviderHandler {
    /// Requests the provider's list of models, which costs nothing. A failure to respond is a result, not an error.
    ///
    /// # Errors
    /// [`Error::NotFound`], an access error, or a failing port.
    #[tracing::instrument(name = "models.test_provider", skip_all, fields(provider = %query.provider), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: TestProvider) -> Result<Reachability, Error> {
        let TestProvider { project, provider } = query;
        let found = self.0.of_project(actor, project, provider, Permission::ProvidersWrite).await?;
        let problem = |why: String| Reachability { reachable: false, models: vec![], problem: Some(why) };
        let key = match found.key {
            HeldKey::None => None,
            HeldKey::Dropped => {
                return Ok(problem("it has no key for its address; set one".to_owned()));
            }
            HeldKey::Held(id) => {
                let binding = KeyBinding { id, provider, base_url: found.base_url.clone() };
                self.0.ports.vault.open(&binding).await?
            }
        };
        match self.0.ports.probe.list(found.kind, &found.base_url, key.as_ref()).await {
            Ok(models) => Ok(Reachability { reachable: true, models, problem: None }),
            Err(ModelError::Port(error)) => Err(error.into()),
            Err(failure) => Ok(problem(failure.to_string())),
        }
    }
}
