use devskyy_domain::kernel::ids::{ProjectId, ProviderId};

use super::{provider_views::ProviderView, providers::Desk};
use crate::{access::Permission, context::Actor, error::Error};

/// A query for one provider of a project.
#[derive(Debug)]
pub struct GetProvider {
    /// The project.
    pub project: ProjectId,
    /// The provider.
    pub provider: ProviderId,
}

/// Returns providers.
pub struct GetProviderHandler(pub(super) Desk);

impl GetProviderHandler {
    /// The provider, without its key.
    ///
    /// # Errors
    /// [`Error::NotFound`], an access error, or a failing port.
    #[tracing::instrument(name = "models.get_provider", skip_all, fields(provider = %query.provider), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetProvider) -> Result<ProviderView, Error> {
        let found = self.0.of_project(actor, query.project, query.provider, Permission::ProvidersRead).await?;
        self.0.dress(found).await
    }
}
