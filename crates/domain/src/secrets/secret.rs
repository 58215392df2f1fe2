use super::{
    error::SecretError,
    event::{SecretAdded, SecretEvent, SecretRemoved, SecretReplaced},
    values::{SecretHosts, SecretName},
};
use crate::kernel::{
    Aggregate, Decision,
    ids::{ProjectId, SecretId, SecretValueId},
};

/// A secret to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSecret {
    /// The project.
    pub project: ProjectId,
    /// Its name.
    pub name: SecretName,
    /// The hosts it may be sent to.
    pub hosts: SecretHosts,
    /// The id of its value.
    pub value: SecretValueId,
}

/// The properties of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretDetails {
    /// The project it belongs to.
    pub project: ProjectId,
    /// Its name.
    pub name: SecretName,
    /// The hosts it may be sent to.
    pub hosts: SecretHosts,
    /// The id of its value.
    pub value: SecretValueId,
}

/// A credential of a project's tools.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Secret {
    /// Nothing has been recorded yet.
    #[default]
    Unknown,
    /// In use.
    Added(SecretDetails),
    /// Removed; the project is kept for history.
    Removed(ProjectId),
}

impl Secret {
    /// Adds a secret to a project.
    ///
    /// # Errors
    /// [`SecretError::AlreadyAdded`] for a used id.
    pub fn add(&self, new: &NewSecret) -> Decision<Self> {
        if *self != Self::Unknown {
            return Err(SecretError::AlreadyAdded);
        }
        let NewSecret { project, name, hosts, value } = new.clone();
        Ok(vec![SecretAdded { project, name, hosts, value }.into()])
    }

    /// Replaces the value and its hosts.
    ///
    /// The hosts never change alone: changing them requires the value.
    ///
    /// # Errors
    /// [`SecretError::Removed`] or [`SecretError::NotAdded`].
    pub fn replace(&self, hosts: &SecretHosts, value: SecretValueId) -> Decision<Self> {
        self.added().map(|_| vec![SecretReplaced { hosts: hosts.clone(), value }.into()])
    }

    /// Removes the secret permanently.
    ///
    /// # Errors
    /// [`SecretError::NotAdded`].
    pub fn remove(&self) -> Decision<Self> {
        match self {
            Self::Added(_) => Ok(vec![SecretRemoved {}.into()]),
            Self::Removed(_) => Ok(vec![]),
            Self::Unknown => Err(SecretError::NotAdded),
        }
    }

    /// The properties of a secret that was not removed.
    ///
    /// # Errors
    /// [`SecretError::Removed`] or [`SecretError::NotAdded`].
    pub const fn added(&self) -> Result<&SecretDetails, SecretError> {
        match self {
            Self::Added(details) => Ok(details),
            Self::Removed(_) => Err(SecretError::Removed),
            Self::Unknown => Err(SecretError::NotAdded),
        }
    }

    /// The project it belongs or belonged to.
    #[must_use]
    pub const fn project(&self) -> Option<ProjectId> {
        match self {
            Self::Unknown => None,
            Self::Added(details) => Some(details.project),
            Self::Removed(project) => Some(*project),
        }
    }
}

impl Aggregate for Secret {
    const CATEGORY: &'static str = "secret";
    type Id = SecretId;
    type Event = SecretEvent;
    type Error = SecretError;

    fn apply(&mut self, event: &SecretEvent) {
        match (&mut *self, event) {
            (_, SecretEvent::Added(it)) => {
                let SecretAdded { project, name, hosts, value } = it.clone();
                *self = Self::Added(SecretDetails { project, name, hosts, value });
            }
            (Self::Added(details), SecretEvent::Replaced(it)) => {
                (details.hosts, details.value) = (it.hosts.clone(), it.value);
            }
            (Self::Added(details), SecretEvent::Removed(_)) => *self = Self::Removed(details.project),
            (Self::Unknown | Self::Removed(_), _) => {}
        }
    }
}
