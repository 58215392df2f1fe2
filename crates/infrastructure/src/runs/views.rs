use async_trait::async_trait;
use devskyy_application::{
    access::ListScope,
    error::PortError,
    paging::{PageOf, PageRequest},
    runs::{ApprovalFilter, ApprovalView, RunFilter, RunSummary, RunViews},
};
use devskyy_domain::kernel::ids::{ApprovalId, RunId};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};
use uuid::Uuid;

use super::{
    entity::{approval, run},
    rows::{PORT, approval_view, run_record},
};
use crate::{
    projects::projects_of,
    sql::{Database, port_error},
};

/// Runs and questions as projected into `runs` and `run_approvals`.
#[derive(Debug, Clone)]
pub struct SqlRuns(Database);

impl SqlRuns {
    /// Runs of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }
}

fn matching(filter: &RunFilter) -> Select<run::Entity> {
    use run::Column::{AgentId, ProjectId, Status};
    let all = run::Entity::find();
    let within = match filter.scope {
        ListScope::Everything => all,
        ListScope::MemberOf(user) => all.filter(ProjectId.in_subquery(projects_of(user))),
        ListScope::Project(project) => all.filter(ProjectId.eq(Uuid::from(project))),
    };
    within
        .apply_if(filter.agent, |some, agent| some.filter(AgentId.eq(Uuid::from(agent))))
        .apply_if(filter.status, |some, status| some.filter(Status.eq(status.as_str())))
}

fn asked(filter: &ApprovalFilter) -> Select<approval::Entity> {
    use approval::Column::{ProjectId, RunId, Status};
    let all = approval::Entity::find();
    let within = match filter.scope {
        ListScope::Everything => all,
        ListScope::MemberOf(user) => all.filter(ProjectId.in_subquery(projects_of(user))),
        ListScope::Project(project) => all.filter(ProjectId.eq(Uuid::from(project))),
    };
    within
        .apply_if(filter.run, |some, run| some.filter(RunId.eq(Uuid::from(run))))
        .apply_if(filter.status, |some, status| some.filter(Status.eq(status.as_str())))
}

fn failed(doing: &'static str) -> impl Fn(DbErr) -> PortError {
    move |error| port_error(PORT, doing, error)
}

#[async_trait]
impl RunViews for SqlRuns {
    async fn find(&self, run: RunId) -> Result<Option<RunSummary>, PortError> {
        let row =
            run::Entity::find_by_id(Uuid::from(run)).one(&self.0.reader).await.map_err(failed("finding a run"))?;
        Ok(row.map(run_record).transpose()?.map(|record| record.summary))
    }

    async fn list(&self, filter: &RunFilter, page: PageRequest) -> Result<PageOf<RunSummary>, PortError> {
        let found = async {
            let total = matching(filter).select_only().column(run::Column::Id).count(&self.0.reader).await?;
            let in_order = matching(filter).order_by_desc(run::Column::CreatedAt).order_by_desc(run::Column::Id);
            Ok((total, in_order.offset(page.offset()).limit(page.page_size).all(&self.0.reader).await?))
        };
        let (total, rows) = found.await.map_err(failed("listing runs"))?;
        let summary = |row| run_record(row).map(|record| record.summary);
        Ok(PageOf { items: rows.into_iter().map(summary).collect::<Result<_, _>>()?, total })
    }

    async fn approval(&self, approval: ApprovalId) -> Result<Option<ApprovalView>, PortError> {
        let row = approval::Entity::find_by_id(Uuid::from(approval)).one(&self.0.reader).await;
        row.map_err(failed("finding an approval"))?.map(approval_view).transpose()
    }

    async fn approvals(&self, filter: &ApprovalFilter, page: PageRequest) -> Result<PageOf<ApprovalView>, PortError> {
        use approval::Column::{Id, RequestedAt};
        let found = async {
            let total = asked(filter).select_only().column(Id).count(&self.0.reader).await?;
            let in_order = asked(filter).order_by_asc(RequestedAt).order_by_asc(Id);
            Ok((total, in_order.offset(page.offset()).limit(page.page_size).all(&self.0.reader).await?))
        };
        let (total, rows) = found.await.map_err(failed("listing approvals"))?;
        Ok(PageOf { items: rows.into_iter().map(approval_view).collect::<Result<_, _>>()?, total })
    }
}
