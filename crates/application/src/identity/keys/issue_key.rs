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

/// Asks for a key.
#[derive(Debug)]
pub struct IssueKey {
    /// For which project.
    pub project: ProjectId,
    /// What people shall call it.
    pub name: KeyName,
    /// What it shall be at most.
    pub role: ProjectRole,
    /// What it shall be able to do at most.
    pub scopes: BTreeSet<KeyScope>,
    /// Until when it shall count.
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
    /// Issues the key and returns it with its text. Only people issue keys, and none mightier than themselves.
    ///
    /// # Errors
    /// [`ApiKeyError`], what access demands, or a failing port.
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

/// A secret's private row around the append that makes it mean something.
pub(super) struct Kept<'a> {
    pub(super) vault: &'a dyn KeyVault,
    pub(super) text: &'a KeyText,
}

impl Kept<'_> {
    /// Draws a secret and keeps its digest.
    pub(super) async fn fresh(&self, key: ApiKeyId, id: KeySecretId, now: DateTime<Utc>) -> Result<String, Error> {
        let raw = self.text.0.token()?;
        let digest = self.text.0.digest(&raw);
        self.vault.save(&KeySecret { id, key, digest, created_at: now }).await?;
        Ok(raw)
    }

    /// Passes an outcome on, without leaving the row of something that was refused behind.
    pub(super) async fn or_removed<T>(&self, id: KeySecretId, outcome: Result<T, Error>) -> Result<T, Error> {
        // The append may have been accepted although no answer came: the row stays, the sweep decides later.
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
