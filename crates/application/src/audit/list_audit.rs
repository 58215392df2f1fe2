use std::sync::Arc;

use super::ports::{AuditEntry, AuditFilter, AuditTrail};
use crate::{
    access::{Access, Permission, PlatformPermission},
    context::Actor,
    error::Error,
};

/// A query for a part of the trail.
#[derive(Debug)]
pub struct ListAudit {
    /// Which entries.
    pub filter: AuditFilter,
    /// Maximum number of entries.
    pub limit: u64,
}

/// Lists the trail.
pub struct Audit {
    trail: Arc<dyn AuditTrail>,
    access: Access,
}

impl Audit {
    /// The trail, for callers that may read it.
    #[must_use]
    pub fn new(trail: Arc<dyn AuditTrail>, access: Access) -> Self {
        Self { trail, access }
    }

    /// The newest entries first, and whether there are more: a project's for its owners, all for administrators.
    ///
    /// # Errors
    /// An access error, or a failing port.
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
