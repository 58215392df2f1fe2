use std::sync::Arc;

use async_trait::async_trait;
use devskyy_domain::kernel::ids::ProjectId;

use super::ports::{SecretBinding, SecretVault, SecretViews};
use crate::{
    error::PortError,
    workflow::{ToolSecret, ToolSecrets},
};

/// Decrypts projects' secrets for their tools.
pub struct OpenedSecrets {
    views: Arc<dyn SecretViews>,
    vault: Arc<dyn SecretVault>,
}

impl OpenedSecrets {
    /// Combines the secrets from the log with their values from the vault.
    #[must_use]
    pub fn new(views: Arc<dyn SecretViews>, vault: Arc<dyn SecretVault>) -> Self {
        Self { views, vault }
    }
}

#[async_trait]
impl ToolSecrets for OpenedSecrets {
    async fn knows(&self, project: ProjectId, name: &str) -> Result<bool, PortError> {
        Ok(self.views.named(project, name).await?.is_some())
    }

    async fn open(&self, project: ProjectId, name: &str) -> Result<Option<ToolSecret>, PortError> {
        // If the value is replaced between the two lookups, the second attempt finds the new one.
        for _ in 0..2 {
            let Some(found) = self.views.named(project, name).await? else { return Ok(None) };
            let binding = SecretBinding { id: found.value, secret: found.id, hosts: found.hosts };
            if let Some(value) = self.vault.open(&binding).await? {
                return Ok(Some(ToolSecret { value, hosts: binding.hosts }));
            }
        }
        Ok(None)
    }
}
