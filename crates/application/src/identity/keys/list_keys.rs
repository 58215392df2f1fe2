use devskyy_domain::kernel::ids::ProjectId;

use super::views::{KeyView, Shelf};
use crate::{
    access::Permission,
    context::Actor,
    error::Error,
    paging::{PageOf, Part},
};

/// Asks for a project's keys.
#[derive(Debug)]
pub struct ListKeys {
    /// Which project.
    pub project: ProjectId,
    /// Which part of the list.
    pub page: Part,
}

/// Lists API keys.
pub struct ListKeysHandler {
    pub(super) shelf: Shelf,
}

impl ListKeysHandler {
    /// The keys, the newest first, revoked and expired ones too.
    ///
    /// # Errors
    /// What access demands, or a failing port.
    #[tracing::instrument(name = "identity.list_keys", skip_all, fields(project = %query.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: ListKeys) -> Result<PageOf<KeyView>, Error> {
        self.shelf.access.require(actor, query.project, Permission::KeysRead).await?;
        let PageOf { items, beyond } = self.shelf.views.list(query.project, &query.page).await?;
        Ok(PageOf { items: self.shelf.dress(items).await?, beyond })
    }
}
