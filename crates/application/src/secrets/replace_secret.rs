use devskyy_domain::{
    kernel::{
        Version,
        ids::{ProjectId, SecretId},
    },
    secrets::{SecretHosts, SecretValue},
};

use super::{desk::Desk, views::SecretView};
use crate::{access::Permission, context::Actor, error::Error};

/// A request to replace a secret's value.
#[derive(Debug)]
pub struct ReplaceSecret {
    /// The project.
    pub project: ProjectId,
    /// The secret.
    pub secret: SecretId,
    /// Its new value.
    pub value: SecretValue,
    /// The hosts the new value may be sent to; unchanged if omitted.
    pub hosts: Option<SecretHosts>,
    /// The version the caller expects, if any.
    pub expected: Option<Version>,
}

/// Replaces secrets.
pub struct ReplaceSecretHandler(pub(super) Desk);

impl ReplaceSecretHandler {
    /// Replaces the value and returns the secret without it. The next call that uses it sends the new one.
    ///
    /// # Errors
    /// [`devskyy_domain::secrets::SecretError`], [`Error::StaleVersion`], [`Error::NotFound`], an access error, or
    /// a failing port.
    #[tracing::instrument(name = "secrets.replace_secret", skip_all, fields(secret = %command.secret), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: ReplaceSecret) -> Result<SecretView, Error> {
        let ReplaceSecret { project, secret, value, hosts, expected } = command;
        let seen = self.0.of_project(actor, project, secret, Permission::SecretsWrite).await?;
        let hosts = hosts.unwrap_or_else(|| seen.hosts.clone());
        let kept = self.0.keep(secret, &hosts, &value).await?;
        // The value deleted below must be the one that was replaced.
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
