use devskyy_domain::kernel::ids::ProjectId;

use super::{provider_views::ProviderView, providers::Desk};
use crate::{
    access::Permission,
    context::Actor,
    error::Error,
    paging::{PageOf, Part},
};

/// A query for a project's providers.
#[derive(Debug)]
pub struct ListProviders {
    /// The project.
    pub project: ProjectId,
    /// The requested part of the list.
    pub page: Part,
}

/// Lists providers.
pub struct ListProvidersHandler(pub(super) Desk);

impl ListProvidersHandler {
    /// The providers, newest first, without their keys.
    ///
    /// # Errors
    /// An access error, or a failing port.
    #[tracing::instrument(name = "models.list_providers", skip_all, fields(project = %query.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: ListProviders) -> Result<PageOf<ProviderView>, Error> {
        self.0.ports.access.require(actor, query.project, Permission::ProvidersRead).await?;
        let PageOf { items, beyond } = self.0.ports.views.list(query.project, &query.page).await?;
        let mut dressed = Vec::with_capacity(items.len());
        for record in items {
            dressed.push(self.0.dress(record).await?);
        }
        Ok(PageOf { items: dressed, beyond })
    }
}
