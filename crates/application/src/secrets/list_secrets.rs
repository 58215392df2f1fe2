use devskyy_domain::kernel::ids::ProjectId;

use super::{desk::Desk, views::SecretView};
use crate::{
    access::Permission,
    context::Actor,
    error::Error,
    paging::{PageOf, Part},
};

/// A query for a project's secrets.
#[derive(Debug)]
pub struct ListSecrets {
    /// The project.
    pub project: ProjectId,
    /// The requested part of the list.
    pub page: Part,
}

/// Lists secrets.
pub struct ListSecretsHandler(pub(super) Desk);

impl ListSecretsHandler {
    /// The secrets, newest first, without their values.
    ///
    /// # Errors
    /// An access error, or a failing port.
    #[tracing::instrument(name = "secrets.list_secrets", skip_all, fields(project = %query.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: ListSecrets) -> Result<PageOf<SecretView>, Error> {
        self.0.ports.access.require(actor, query.project, Permission::SecretsRead).await?;
        Ok(self.0.ports.views.list(query.project, &query.page).await?)
    }
}
