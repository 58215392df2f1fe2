use chrono::{DateTime, Utc};
use devskyy_domain::{
    kernel::{
        Version,
        ids::{ProjectId, SecretId, SecretValueId},
    },
    secrets::SecretHosts,
};

/// A secret, derived from the log, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretView {
    /// Its id.
    pub id: SecretId,
    /// The project.
    pub project: ProjectId,
    /// The name templates use.
    pub name: String,
    /// The hosts it may be sent to.
    pub hosts: SecretHosts,
    /// Id of its value.
    pub value: SecretValueId,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last replaced.
    pub updated_at: DateTime<Utc>,
    /// Its version.
    pub version: Version,
}
