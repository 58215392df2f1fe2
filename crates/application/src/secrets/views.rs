use chrono::{DateTime, Utc};
use devskyy_domain::{
    kernel::{
        Version,
        ids::{ProjectId, SecretId, SecretValueId},
    },
    secrets::SecretHosts,
};

/// A secret as the log tells: everything but its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretView {
    /// Which.
    pub id: SecretId,
    /// Whose.
    pub project: ProjectId,
    /// What templates call it by.
    pub name: String,
    /// Where it may be sent.
    pub hosts: SecretHosts,
    /// Names its value.
    pub value: SecretValueId,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last replaced.
    pub updated_at: DateTime<Utc>,
    /// Its version.
    pub version: Version,
}
