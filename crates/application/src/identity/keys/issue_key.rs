use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use devskyy_domain::{
    identity::{ApiKey, ApiKeyError, KeyName, KeyRequest, KeyScope},
    kernel::ids::{ApiKeyId, KeySecretId, ProjectId},
    projects::ProjectRole,
};

use super::{
    ports::{KeySecret, KeyVault},
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

/// A request to issue a key.
#[derive(Debug)]
pub struct IssueKey {
    /// Its project.
    pub project: ProjectId,
    /// Its name.
    pub name: KeyName,
    /// Its highest role.
    pub role: ProjectRole,
    /// Its scopes.
    pub scopes: BTreeSet<KeyScope>,
    /// Its expiry.
    pub expires_at: DateTime<Utc>,
    /// Recognises a repeated request.
    pub idempotency: Option<Idempotency>,
}

/// Issues API keys.
pub struct IssueKeyHandler {
    pub(super) keys: Repository<ApiKey>,
    pub(super) vault: Arc<dyn KeyVault>,
    pub(super) text: KeyText,
    pub(super) shelf: Shelf,
    pub(super) ids: Arc<dyn IdGenerator>,
}

impl IssueKeyHandler {
    /// Issues the key and returns it with its text. Only people can issue keys, and none that exceeds their own role.
    ///
    /// # Errors
    /// [`ApiKeyError`], an access error, or a failing port.
    #[tracing::instrument(name = "identity.issue_key", skip_all, fields(project = %command.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: IssueKey) -> Result<KeyWithSecret, Error> {
        let idempotency = command.idempotency.clone();
        match self.issue(actor, command).await {
            Ok(issued) => Ok(issued),
            Err(refused) => {
                let context = actor.event_context(None);
                let before = self.keys.created_before(context, idempotency.as_ref(), refused).await?;
                Ok(KeyWithSecret { view: self.shelf.show(before.id).await?, text: None })
            }
        }
    }

    async fn issue(&self, actor: &Actor, command: IssueKey) -> Result<KeyWithSecret, Error> {
        let IssueKey { project, name, role, scopes, expires_at, idempotency } = command;
        self.shelf.access.require(actor, project, Permission::KeysIssue).await?;
        let issuer = actor.person()?;
        let issuer_role = self.shelf.access.role(project, issuer).await?.ok_or(ApiKeyError::ExceedsIssuer)?;
        let (key, secret) = (ApiKeyId::from(self.ids.next()), KeySecretId::from(self.ids.next()));
        let wanted = KeyRequest { project, issuer, issuer_role, name, role, scopes, expires_at, secret };
        let events = ApiKey::default().issue(&wanted, self.shelf.clock.now())?;
        let kept = Kept { vault: self.vault.as_ref(), text: &self.text };
        let raw = kept.fresh(key, secret, self.shelf.clock.now()).await?;
        let context = actor.event_context(Some(project));
        let created = self.keys.create(context, key, &events, vec![], vec![], idempotency).await;
        let created = kept.or_removed(secret, created).await?;
        if created.replayed {
            kept.remove(secret).await;
        }
        let text = (!created.replayed).then(|| self.text.write(key, &raw));
        Ok(KeyWithSecret { view: self.shelf.show(created.id).await?, text })
    }
}

/// Stores a secret's private row, and removes it if the append that refers to it is refused.
pub(super) struct Kept<'a> {
    pub(super) vault: &'a dyn KeyVault,
    pub(super) text: &'a KeyText,
}

impl Kept<'_> {
    /// Generates a secret and stores its digest.
    pub(super) async fn fresh(&self, key: ApiKeyId, id: KeySecretId, now: DateTime<Utc>) -> Result<String, Error> {
        let raw = self.text.0.token()?;
        let digest = self.text.0.digest(&raw);
        self.vault.save(&KeySecret { id, key, digest, created_at: now }).await?;
        Ok(raw)
    }

    /// Returns the outcome, and removes the row if the append was refused.
    pub(super) async fn or_removed<T>(&self, id: KeySecretId, outcome: Result<T, Error>) -> Result<T, Error> {
        // The append may have been accepted without an answer: the row stays, and the sweep decides later.
        if outcome.as_ref().is_err_and(Error::surely_refused) {
            self.remove(id).await;
        }
        outcome
    }

    pub(super) async fn remove(&self, id: KeySecretId) {
        if let Err(error) = self.vault.remove(id).await {
            tracing::warn!(%error, "a secret no key refers to stays until the next sweep");
        }
    }
}
