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

/// What secrets need from outside.
#[derive(Clone)]
pub struct ProjectSecretsPorts {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Secrets as the log tells.
    pub views: Arc<dyn SecretViews>,
    /// Their values.
    pub vault: Arc<dyn SecretVault>,
    /// Who may do what.
    pub access: Access,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn IdGenerator>,
}

/// Everything a project's secrets can be asked.
pub struct ProjectSecrets {
    /// Adds one.
    pub add: AddSecretHandler,
    /// Lists them.
    pub list: ListSecretsHandler,
    /// Shows one, without its value.
    pub get: GetSecretHandler,
    /// Gives one another value.
    pub replace: ReplaceSecretHandler,
    /// Removes one.
    pub remove: RemoveSecretHandler,
}

impl ProjectSecrets {
    /// Secrets over their ports.
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

/// Where secrets are looked up and their values kept.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) secrets: Repository<Secret>,
    pub(super) ports: ProjectSecretsPorts,
}

impl Desk {
    /// One secret of one project, for those who may do this to it.
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

    /// One secret as it stands.
    pub(super) async fn show(&self, secret: SecretId) -> Result<SecretView, Error> {
        self.ports.views.find(secret).await?.ok_or_else(|| missing(secret))
    }

    /// Keeps a value that is about to be recorded.
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

    /// Lets go of a value nobody refers to. Where that fails the sweep finds it.
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

/// The name that a secret holds after something happened to it, by what it held before.
#[must_use]
pub fn held_name(before: Option<Claim>, event: &SecretEvent) -> Option<Claim> {
    match event {
        SecretEvent::Added(it) => Some(name_claim(it.project, it.name.as_str())),
        SecretEvent::Replaced(_) => before,
        SecretEvent::Removed(_) => None,
    }
}
