use devskyy_domain::{
    kernel::{
        Version,
        ids::{ProjectId, SecretId},
    },
    secrets::{SecretHosts, SecretValue},
};

use super::{desk::Desk, views::SecretView};
use crate::{access::Permission, context::Actor, error::Error};

/// Asks for a secret to have another value.
#[derive(Debug)]
pub struct ReplaceSecret {
    /// Of which project.
    pub project: ProjectId,
    /// Which.
    pub secret: SecretId,
    /// What it is from now on.
    pub value: SecretValue,
    /// Where that may be sent; where the value before might, when it is left out.
    pub hosts: Option<SecretHosts>,
    /// Its version the caller last saw, if it cares.
    pub expected: Option<Version>,
}

/// Replaces secrets.
pub struct ReplaceSecretHandler(pub(super) Desk);

impl ReplaceSecretHandler {
    /// Replaces the value and returns the secret without it. The next call that uses it sends the new one.
    ///
    /// # Errors
    /// [`devskyy_domain::secrets::SecretError`], [`Error::StaleVersion`], [`Error::NotFound`], what access demands, or
    /// a failing port.
    #[tracing::instrument(name = "secrets.replace_secret", skip_all, fields(secret = %command.secret), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: ReplaceSecret) -> Result<SecretView, Error> {
        let ReplaceSecret { project, secret, value, hosts, expected } = command;
        let seen = self.0.of_project(actor, project, secret, Permission::SecretsWrite).await?;
        let hosts = hosts.unwrap_or_else(|| seen.hosts.clone());
        let kept = self.0.keep(secret, &hosts, &value).await?;
        // Whose value is let go of below must be the one that was replaced.
        let expected = expected.or(Some(seen.version));
        let context = actor.event_context(Some(project));
        let replaced = self.0.secrets.update(context, secret, expected, |it| it.replace(&hosts, kept)).await;
        match &replaced {
            Ok(_) => self.0.let_go(seen.value).await,
            Err(error) if error.surely_refused() => self.0.let_go(kept).await,
            Err(_) => {}
        }
        replaced?;
        self.0.show(secret).await
    }
}
