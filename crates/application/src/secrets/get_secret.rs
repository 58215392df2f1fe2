use devskyy_domain::kernel::ids::{ProjectId, SecretId};

use super::{desk::Desk, views::SecretView};
use crate::{access::Permission, context::Actor, error::Error};

/// A query for one secret of a project.
#[derive(Debug)]
pub struct GetSecret {
    /// The project.
    pub project: ProjectId,
    /// The secret.
    pub secret: SecretId,
}

/// Returns secrets.
pub struct GetSecretHandler(pub(super) Desk);

impl GetSecretHandler {
    /// The secret, without its value.
    ///
    /// # Errors
    /// [`Error::NotFound`], an access error, or a failing port.
    #[tracing::instrument(name = "secrets.get_secret", skip_all, fields(secret = %query.secret), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetSecret) -> Result<SecretView, Error> {
        self.0.of_project(actor, query.project, query.secret, Permission::SecretsRead).await
    }
}
