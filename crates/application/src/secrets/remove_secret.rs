use devskyy_domain::{
    kernel::{
        Version,
        ids::{ProjectId, SecretId},
    },
    secrets::Secret,
};

use super::desk::{Desk, missing, name_claim};
use crate::{
    access::Permission,
    context::Actor,
    error::Error,
    es::{ClaimChange, Loaded},
};

/// A request to remove a secret.
#[derive(Debug)]
pub struct RemoveSecret {
    /// The project.
    pub project: ProjectId,
    /// The secret.
    pub secret: SecretId,
    /// The version the caller expects, if any.
    pub expected: Option<Version>,
}

/// Removes secrets.
pub struct RemoveSecretHandler(pub(super) Desk);

impl RemoveSecretHandler {
    /// Removes the secret and its value; its name becomes free. Removing it again has no effect.
    ///
    /// # Errors
    /// [`Error::StaleVersion`], [`Error::NotFound`], an access error, or a failing port.
    #[tracing::instrument(name = "secrets.remove_secret", skip_all, fields(secret = %command.secret), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: RemoveSecret) -> Result<(), Error> {
        let RemoveSecret { project, secret, expected } = command;
        let seen = self.known(actor, project, secret).await?;
        let Ok(details) = seen.state.added() else { return Ok(()) };
        let context = actor.event_context(Some(project));
        let freed = |_: &Secret, _: &[_]| {
            let claim = name_claim(project, details.name.as_str());
            vec![ClaimChange::Release { claim, owner: secret.into() }]
        };
        // If it is replaced concurrently, the sweep deletes the newer value.
        self.0.secrets.update_claiming(context, secret, expected, Secret::remove, freed).await?;
        self.0.let_go(details.value).await;
        Ok(())
    }

    /// The version of a secret, even if it is removed.
    ///
    /// # Errors
    /// [`Error::NotFound`], an access error, or a failing port.
    pub async fn version(&self, actor: &Actor, project: ProjectId, secret: SecretId) -> Result<Version, Error> {
        Ok(self.known(actor, project, secret).await?.version)
    }

    async fn known(&self, actor: &Actor, project: ProjectId, secret: SecretId) -> Result<Loaded<Secret>, Error> {
        self.0.ports.access.require(actor, project, Permission::SecretsWrite).await?;
        let loaded = self.0.secrets.load(secret).await?;
        if loaded.state.project() == Some(project) { Ok(loaded) } else { Err(missing(secret)) }
    }
}
