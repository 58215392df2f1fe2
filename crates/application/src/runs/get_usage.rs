use std::sync::Arc;

use super::{
    ports::UsageViews,
    usage::{ProjectUsage, UsageFilter},
};
use crate::{
    access::{Access, Permission},
    context::Actor,
    error::Error,
    paging::Part,
};

/// Asks what models used in a project.
#[derive(Debug)]
pub struct GetUsage {
    /// Of which project, when, and by what it is told apart.
    pub filter: UsageFilter,
    /// Which part of the list.
    pub page: Part,
}

/// Tells what models used.
pub struct GetUsageHandler {
    pub(super) usage: Arc<dyn UsageViews>,
    pub(super) access: Access,
}

impl GetUsageHandler {
    /// Everything that was used together, and one part of it kind by kind.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a project the actor may not see, [`Error::Denied`] for a key without the scope, or a failing
    /// port.
    #[tracing::instrument(name = "runs.usage", skip_all, fields(project = %query.filter.project), err(Debug, level = "debug"))]
    pub async fn handle(&self, actor: &Actor, query: GetUsage) -> Result<ProjectUsage, Error> {
        let GetUsage { filter, page } = query;
        self.access.require(actor, filter.project, Permission::BudgetsRead).await?;
        Ok(self.usage.usage(&filter, &page).await?)
    }
}
