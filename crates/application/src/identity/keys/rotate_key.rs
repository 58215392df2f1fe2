use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_domain::{
    identity::{ApiKey, ApiKeyError, Renewal},
    kernel::{
        Version,
        ids::{ApiKeyId, KeySecretId, ProjectId},
    },
};

use super::{
    issue_key::Kept,
    ports::{KeyStandings, KeyVault},
    text::KeyText,
    views::{KeyWithSecret, Shelf},
};
use crate::{
    access::Permission,
    context::Actor,
    error::Error,
    es::{Idempotency, Repository},
    ports::IdGenerator,
};

/// A request to rotate a key's secret.
#[derive(Debug)]
pub struct RotateKey {
    /// The project.
    pub project: ProjectId,
    /// The key.
    pub key: ApiKeyId,
    /// How long the old secret stays valid beside the new one.
    pub overlap: TimeDelta,
    /// The new expiry, if it changes.
    pub expires_at: Option<DateTime<Utc>>,
    /// The version the caller expects, if any.
    pub expected: Option<Version>,
    /// Recognises a repeated request.
    pub idempotency: Option<Idempotency>,
}

/// Rotates the secrets of API keys.
pub struct RotateKeyHandler {
    pub(super) keys: Repository<ApiKey>,
    pub(super) vault: Arc<dyn KeyVault>,
    pub(super) standings: Arc<dyn KeyStandings>,
    pub(super) text: KeyText,
    pub(super) shelf: Shelf,
    pub(super) ids: Arc<dyn IdGenerator>,
}

impl RotateKeyHandler {
    /// Rotates the key and returns it with its new text.
    ///
    /// # Errors
    /// [`ApiKeyError`], [`Error::StaleVersion`], [`Error::NotFound`], an access error, or a failing port.
    #[tracing::instrument(name = "identity.rotate_key", skip_all, fields(key = %command.key), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: RotateKey) -> Result<KeyWithSecret, Error> {
        let (key, idempotency) = (command.key, command.idempotency.clone());
        match self.rotate(actor, command).await {
            Ok(rotated) => Ok(rotated),
            Err(refused) => {
                let context = actor.event_context(None);
                self.keys.changed_before(context, key, idempotency.as_ref(), refused).await?;
                Ok(KeyWithSecret { view: self.shelf.show(key).await?, text: None })
            }
        }
    }

    async fn rotate(&self, actor: &Actor, command: RotateKey) -> Result<KeyWithSecret, Error> {
        let RotateKey { project, key, overlap, expires_at, expected, idempotency } = command;
        self.shelf.of_project(actor, project, key, Permission::KeysIssue).await?;
        let by = self.shelf.access.role(project, actor.person()?).await?.ok_or(ApiKeyError::ExceedsIssuer)?;
        let now = self.shelf.clock.now();
        let secret = KeySecretId::from(self.ids.next());
        let renewal = Renewal { by, secret, overlap, expires_at };
        let kept = Kept { vault: self.vault.as_ref(), text: &self.text };
        let raw = kept.fresh(key, secret, now).await?;
        let context = actor.event_context(Some(project));
        let rotated = self.keys.update_once(context, key, expected, idempotency, |it| it.rotate(&renewal, now)).await;
        let rotated = kept.or_removed(secret, rotated).await?;
        if rotated.replayed {
            kept.remove(secret).await;
        }
        self.standings.forget(key);
        let text = (!rotated.replayed).then(|| self.text.write(key, &raw));
        Ok(KeyWithSecret { view: self.shelf.show(key).await?, text })
    }
}
