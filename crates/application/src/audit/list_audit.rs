use std::sync::Arc;

use super::ports::{AuditEntry, AuditFilter, AuditTrail};
use crate::{
    access::{Access, Permission, PlatformPermission},
    context::Actor,
    error::Error,
};

/// Asks for a stretch of the trail.
#[derive(Debug)]
pub struct ListAudit {
    /// Which entries.
    pub filter: AuditFilter,
    /// At most so many.
    pub limit: u64,
}

/// Tells the trail.
pub struct Audit {
    trail: Arc<dyn AuditTrail>,
    access: Access,
}

impl Audit {
    /// The trail, told to those who may hear it.
    #[must_use]
    pub fn new(trail: Arc<dyn AuditTrail>, access: Access) -> Self {
        Self { trail, access }
    }

    /// The newest entries first, and whether there are more: of one project to its owners, all to administrators.
    ///
    /// # Errors
    /// What access demands, or a failing port.
    #[tracing::instrument(name = "audit.list", skip_all, err(Debug, level = "debug"))]
    pub async fn list(&self, actor: &Actor, query: ListAudit) -> Result<(Vec<AuditEntry>, bool), Error> {
        let ListAudit { filter, limit } = query;
        match filter.project {
            Some(project) => self.access.require(actor, project, Permission::AuditRead).await?,
            None => Access::require_on_platform(actor, PlatformPermission::AuditReadAll)?,
        }
        let mut entries = self.trail.list(&filter, limit.saturating_add(1)).await?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = entries.len() > wanted;
        entries.truncate(wanted);
        Ok((entries, more))
    }
}
