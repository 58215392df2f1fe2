use std::sync::Arc;

use async_trait::async_trait;
use devskyy_domain::kernel::ids::ProjectId;

use super::ports::{SecretBinding, SecretVault, SecretViews};
use crate::{
    error::PortError,
    workflow::{ToolSecret, ToolSecrets},
};

/// Secrets of projects, opened for their tools.
pub struct OpenedSecrets {
    views: Arc<dyn SecretViews>,
    vault: Arc<dyn SecretVault>,
}

impl OpenedSecrets {
    /// Secrets as the log tells, with what the vault keeps of them.
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
        // Replaced between the two questions, a value is gone and another one is there.
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
