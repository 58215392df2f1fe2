use devskyy_domain::kernel::ids::ProjectId;

use super::views::{KeyView, Shelf};
use crate::{
    access::Permission,
    context::Actor,
    error::Error,
    paging::{PageOf, Part},
};

/// A query for a project's keys.
#[derive(Debug)]
pub struct ListKeys {
    /// The project.
    pub project: ProjectId,
    /// The requested part of the list.
    pub page: Part,
}

/// Lists API keys.
pub struct ListKeysHandler {
    pub(super) shelf: Shelf,
}

impl ListKeysHandler {
    /// Returns the keys, newest first, including revoked and expired ones.
    ///
    /// # Errors
    /// An access error, or a failing port.
    #[tracing::instrument(name = "identity.list_keys", skip_all, fields(project = %query.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: ListKeys) -> Result<PageOf<KeyView>, Error> {
        self.shelf.access.require(actor, query.project, Permission::KeysRead).await?;
        let PageOf { items, beyond } = self.shelf.views.list(query.project, &query.page).await?;
        Ok(PageOf { items: self.shelf.dress(items).await?, beyond })
    }
}
