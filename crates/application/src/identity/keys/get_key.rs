use devskyy_domain::kernel::ids::{ApiKeyId, ProjectId};

use super::views::{KeyView, Shelf};
use crate::{access::Permission, context::Actor, error::Error};

/// A query for one key of a project.
#[derive(Debug)]
pub struct GetKey {
    /// The project.
    pub project: ProjectId,
    /// The key.
    pub key: ApiKeyId,
}

/// Returns API keys.
pub struct GetKeyHandler {
    pub(super) shelf: Shelf,
}

impl GetKeyHandler {
    /// Returns the key without its secret.
    ///
    /// # Errors
    /// [`Error::NotFound`], an access error, or a failing port.
    #[tracing::instrument(name = "identity.get_key", skip_all, fields(key = %query.key), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetKey) -> Result<KeyView, Error> {
        let found = self.shelf.of_project(actor, query.project, query.key, Permission::KeysRead).await?;
        let shown = self.shelf.dress(vec![found]).await?.pop();
        shown.ok_or_else(|| Error::NotFound(format!("API key {}", query.key)))
    }
}
