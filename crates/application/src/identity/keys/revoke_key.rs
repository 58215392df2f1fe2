use std::sync::Arc;

use devskyy_domain::{
    identity::ApiKey,
    kernel::{
        Version,
        ids::{ApiKeyId, ProjectId},
    },
};

use super::{ports::KeyStandings, views::Shelf};
use crate::{access::Permission, context::Actor, error::Error, es::Repository};

/// A request to revoke a key.
#[derive(Debug)]
pub struct RevokeKey {
    /// The project.
    pub project: ProjectId,
    /// The key.
    pub key: ApiKeyId,
    /// The version the caller expects, if any.
    pub expected: Option<Version>,
}

/// Revokes API keys.
pub struct RevokeKeyHandler {
    pub(super) keys: Repository<ApiKey>,
    pub(super) standings: Arc<dyn KeyStandings>,
    pub(super) shelf: Shelf,
}

impl RevokeKeyHandler {
    /// Revokes the key. No replica accepts it after five seconds.
    ///
    /// # Errors
    /// [`Error::StaleVersion`], [`Error::NotFound`], an access error, or a failing port.
    #[tracing::instrument(name = "identity.revoke_key", skip_all, fields(key = %command.key), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: RevokeKey) -> Result<Version, Error> {
        let RevokeKey { project, key, expected } = command;
        self.shelf.of_project(actor, project, key, Permission::KeysRevoke).await?;
        let context = actor.event_context(Some(project));
        let revoked = self.keys.update(context, key, expected, ApiKey::revoke).await?;
        self.standings.forget(key);
        Ok(revoked.version)
    }
}
