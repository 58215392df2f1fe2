use std::sync::Arc;

use devskyy_domain::{
    kernel::ids::{ProjectId, SecretId, SecretValueId},
    secrets::{Secret, SecretEvent, SecretHosts, SecretValue},
};

use super::{
    add_secret::AddSecretHandler,
    get_secret::GetSecretHandler,
    list_secrets::ListSecretsHandler,
    ports::{SecretBinding, SecretVault, SecretViews},
    remove_secret::RemoveSecretHandler,
    replace_secret::ReplaceSecretHandler,
    views::SecretView,
};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    es::{Claim, EventStore, Repository},
    ports::{Clock, IdGenerator},
};

/// The ports of secrets.
#[derive(Clone)]
pub struct ProjectSecretsPorts {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Secrets, derived from the log.
    pub views: Arc<dyn SecretViews>,
    /// Their values.
    pub vault: Arc<dyn SecretVault>,
    /// Access rules.
    pub access: Access,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Generates ids.
    pub ids: Arc<dyn IdGenerator>,
}

/// The use cases of a project's secrets.
pub struct ProjectSecrets {
    /// Adds a secret.
    pub add: AddSecretHandler,
    /// Lists secrets.
    pub list: ListSecretsHandler,
    /// Returns a secret without its value.
    pub get: GetSecretHandler,
    /// Replaces a secret's value.
    pub replace: ReplaceSecretHandler,
    /// Removes a secret.
    pub remove: RemoveSecretHandler,
}

impl ProjectSecrets {
    /// Creates the use cases from their ports.
    #[must_use]
    pub fn new(ports: ProjectSecretsPorts) -> Self {
        let desk = Desk { secrets: Repository::new(ports.store.clone()), ports };
        Self {
            add: AddSecretHandler(desk.clone()),
            list: ListSecretsHandler(desk.clone()),
            get: GetSecretHandler(desk.clone()),
            replace: ReplaceSecretHandler(desk.clone()),
            remove: RemoveSecretHandler(desk),
        }
    }
}

/// Looks up secrets and stores their values.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) secrets: Repository<Secret>,
    pub(super) ports: ProjectSecretsPorts,
}

impl Desk {
    /// A secret of a project, if the actor has the permission.
    pub(super) async fn of_project(
        &self,
        actor: &Actor,
        project: ProjectId,
        secret: SecretId,
        permission: Permission,
    ) -> Result<SecretView, Error> {
        self.ports.access.require(actor, project, permission).await?;
        let found = self.ports.views.find(secret).await?.filter(|found| found.project == project);
        found.ok_or_else(|| missing(secret))
    }

    /// The current state of a secret.
    pub(super) async fn show(&self, secret: SecretId) -> Result<SecretView, Error> {
        self.ports.views.find(secret).await?.ok_or_else(|| missing(secret))
    }

    /// Stores a value before it is recorded.
    pub(super) async fn keep(
        &self,
        secret: SecretId,
        hosts: &SecretHosts,
        value: &SecretValue,
    ) -> Result<SecretValueId, Error> {
        let id = SecretValueId::from(self.ports.ids.next());
        let binding = SecretBinding { id, secret, hosts: hosts.clone() };
        self.ports.vault.save(&binding, value, self.ports.clock.now()).await?;
        Ok(id)
    }

    /// Deletes a value that nothing refers to. If that fails, the sweep deletes it.
    pub(super) async fn let_go(&self, value: SecretValueId) {
        if let Err(error) = self.ports.vault.remove(value).await {
            tracing::warn!(%error, "a value no secret refers to stays until the next sweep");
        }
    }
}

pub(super) fn missing(secret: SecretId) -> Error {
    Error::NotFound(format!("secret {secret}"))
}

/// Names are unique among the secrets of a project.
pub(super) fn name_claim(project: ProjectId, name: &str) -> Claim {
    Claim { scope: format!("secret.name:{project}"), value: name.to_owned() }
}

/// The name claim of a secret after an event, given the claim before it.
#[must_use]
pub fn held_name(before: Option<Claim>, event: &SecretEvent) -> Option<Claim> {
    match event {
        SecretEvent::Added(it) => Some(name_claim(it.project, it.name.as_str())),
        SecretEvent::Replaced(_) => before,
        SecretEvent::Removed(_) => None,
    }
}
