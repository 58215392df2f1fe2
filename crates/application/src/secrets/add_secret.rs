use devskyy_domain::{
    kernel::ids::{ProjectId, SecretId},
    secrets::{NewSecret, Secret, SecretError, SecretHosts, SecretName, SecretValue},
};

use super::{
    desk::{Desk, name_claim},
    views::SecretView,
};
use crate::{
    access::Permission,
    context::Actor,
    error::{Error, Refused},
    es::{ClaimChange, Idempotency},
};

/// A request to add a secret.
#[derive(Debug)]
pub struct AddSecret {
    /// The project.
    pub project: ProjectId,
    /// Its name.
    pub name: SecretName,
    /// The hosts it may be sent to.
    pub hosts: SecretHosts,
    /// Its value.
    pub value: SecretValue,
    /// Recognises a repeated request.
    pub idempotency: Option<Idempotency>,
}

/// A secret with raw values.
pub struct RawSecret {
    /// Its name.
    pub name: String,
    /// The hosts it may be sent to.
    pub hosts: Vec<String>,
    /// Its value.
    pub value: String,
}

impl AddSecret {
    /// Parses raw values and reports all that are invalid.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a refusal per invalid member.
    pub fn parse(project: ProjectId, raw: &RawSecret) -> Result<Self, Error> {
        let parsed = (SecretName::parse(&raw.name), SecretHosts::parse(&raw.hosts), SecretValue::parse(&raw.value));
        match parsed {
            (Ok(name), Ok(hosts), Ok(value)) => Ok(Self { project, name, hosts, value, idempotency: None }),
            (name, hosts, value) => {
                let wrong = [name.err(), hosts.err(), value.err()];
                Err(Error::Invalid(wrong.into_iter().flatten().map(Refused::from).collect()))
            }
        }
    }
}

/// Adds secrets to projects.
pub struct AddSecretHandler(pub(super) Desk);

impl AddSecretHandler {
    /// Adds the secret and returns it without its value.
    ///
    /// # Errors
    /// [`devskyy_domain::secrets::SecretError`], an access error, or a failing port.
    #[tracing::instrument(name = "secrets.add_secret", skip_all, fields(project = %command.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, command: AddSecret) -> Result<SecretView, Error> {
        let idempotency = command.idempotency.clone();
        match self.add(actor, command).await {
            Ok(added) => self.0.show(added).await,
            Err(refused) => {
                let context = actor.event_context(None);
                let before = self.0.secrets.created_before(context, idempotency.as_ref(), refused).await?;
                self.0.show(before.id).await
            }
        }
    }

    async fn add(&self, actor: &Actor, command: AddSecret) -> Result<SecretId, Error> {
        let AddSecret { project, name, hosts, value, idempotency } = command;
        self.0.ports.access.require(actor, project, Permission::SecretsWrite).await?;
        let id = SecretId::from(self.0.ports.ids.next());
        let kept = self.0.keep(id, &hosts, &value).await?;
        let new = NewSecret { project, name, hosts, value: kept };
        let events = Secret::default().add(&new)?;
        let claim = ClaimChange::Take { claim: name_claim(project, new.name.as_str()), owner: id.into() };
        let context = actor.event_context(Some(project));
        let created = self.0.secrets.create(context, id, &events, vec![claim], vec![], idempotency).await;
        if created.as_ref().map_or_else(Error::surely_refused, |created| created.replayed) {
            self.0.let_go(kept).await;
        }
        created.map(|created| created.id).map_err(|error| error.where_taken(SecretError::NameTaken))
    }
}
