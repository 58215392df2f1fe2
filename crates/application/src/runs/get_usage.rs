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

/// Requests the model usage of a project.
#[derive(Debug)]
pub struct GetUsage {
    /// The project, the days, and the grouping.
    pub filter: UsageFilter,
    /// The requested page.
    pub page: Part,
}

/// Returns model usage.
pub struct GetUsageHandler {
    pub(super) usage: Arc<dyn UsageViews>,
    pub(super) access: Access,
}

impl GetUsageHandler {
    /// The total usage, and one page of the groups.
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
