use async_trait::async_trait;
use devskyy_application::{
    access::ListScope,
    error::PortError,
    paging::{PageOf, Part},
    runs::{ApprovalFilter, ApprovalView, RunFilter, RunSummary, RunViews},
};
use devskyy_domain::kernel::ids::{ApprovalId, RunId};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryTrait, Select};
use uuid::Uuid;

use super::{
    entity::{approval, run},
    rows::{PORT, approval_view, run_record},
};
use crate::{
    projects::projects_of,
    sql::{Database, Order, micros, part_of, port_error},
    totals::{Kept, List},
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
    use run::Column::{AgentId, CreatedAt, ProjectId, Status};
    let all = run::Entity::find();
    let within = match filter.scope {
        ListScope::Everything => all,
        ListScope::MemberOf(user) => all.filter(ProjectId.in_subquery(projects_of(user))),
        ListScope::Project(project) => all.filter(ProjectId.eq(Uuid::from(project))),
    };
    within
        .apply_if(filter.agent, |some, agent| some.filter(AgentId.eq(Uuid::from(agent))))
        .apply_if(filter.status, |some, status| some.filter(Status.eq(status.as_str())))
        .apply_if(filter.created_from, |some, from| some.filter(CreatedAt.gte(micros(from))))
        .apply_if(filter.created_before, |some, before| some.filter(CreatedAt.lt(micros(before))))
}

fn kept(filter: &RunFilter) -> Option<Kept> {
    let RunFilter { scope, agent, status, created_from, created_before, sort: _ } = filter;
    let narrowed = agent.is_some() || status.is_some() || created_from.is_some() || created_before.is_some();
    (!narrowed).then(|| Kept::within(List::Runs, *scope))
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

fn kept_questions(filter: &ApprovalFilter) -> Option<Kept> {
    let ApprovalFilter { scope, run, status } = filter;
    let narrowed = run.is_some() || status.is_some();
    (!narrowed).then(|| Kept::within(List::Approvals, *scope))
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

    async fn list(&self, filter: &RunFilter, part: &Part) -> Result<PageOf<RunSummary>, PortError> {
        let order = Order { by: run::Column::CreatedAt, id: run::Column::Id, descending: filter.sort.descending };
        let found = part_of(&self.0.reader, matching(filter), order, part, kept(filter)).await;
        found.map_err(failed("listing runs"))?.try_map(|row| run_record(row).map(|record| record.summary))
    }

    async fn approval(&self, approval: ApprovalId) -> Result<Option<ApprovalView>, PortError> {
        let row = approval::Entity::find_by_id(Uuid::from(approval)).one(&self.0.reader).await;
        row.map_err(failed("finding an approval"))?.map(approval_view).transpose()
    }

    async fn approvals(&self, filter: &ApprovalFilter, part: &Part) -> Result<PageOf<ApprovalView>, PortError> {
        let order = Order { by: approval::Column::RequestedAt, id: approval::Column::Id, descending: false };
        let found = part_of(&self.0.reader, asked(filter), order, part, kept_questions(filter)).await;
        found.map_err(failed("listing approvals"))?.try_map(approval_view)
    }
}

#[cfg(test)]
mod tests {
    use devskyy_application::{
        paging::{Key, Sort},
        runs::RunStatus,
    };

    use super::{ApprovalFilter, ListScope, Order, RunFilter, Uuid, approval, asked, matching, run};
    use crate::sql::{
        Database,
        tests::{goes_on_by_index, on_both_engines},
    };

    on_both_engines!(runs_of_all_of_a_project_and_of_an_agent_go_on_by_index);

    async fn runs_of_all_of_a_project_and_of_an_agent_go_on_by_index(db: &Database) {
        let all = RunFilter {
            scope: ListScope::Everything,
            agent: None,
            status: None,
            created_from: None,
            created_before: None,
            sort: Sort::default(),
        };
        let of_project = RunFilter { scope: ListScope::Project(Uuid::max().into()), ..all.clone() };
        let of_agent = RunFilter { agent: Some(Uuid::max().into()), ..all.clone() };
        let order = Order { by: run::Column::CreatedAt, id: run::Column::Id, descending: true };
        for filter in [all, of_project, of_agent] {
            goes_on_by_index(db, matching(&filter), order, &Key::by_number(1, Uuid::nil())).await;
        }
    }

    on_both_engines!(runs_of_a_project_by_status_go_on_by_index_with_no_other_row_in_between);

    async fn runs_of_a_project_by_status_go_on_by_index_with_no_other_row_in_between(db: &Database) {
        let filter = RunFilter {
            scope: ListScope::Project(Uuid::max().into()),
            agent: None,
            status: Some(RunStatus::Waiting),
            created_from: None,
            created_before: None,
            sort: Sort::default(),
        };
        for descending in [true, false] {
            let order = Order { by: run::Column::CreatedAt, id: run::Column::Id, descending };
            let plan = goes_on_by_index(db, matching(&filter), order, &Key::by_number(1, Uuid::nil())).await;
            assert!(plan.contains("runs_by_status"), "{plan}");
        }
    }

    on_both_engines!(questions_of_all_of_a_project_and_of_a_run_go_on_by_index);

    async fn questions_of_all_of_a_project_and_of_a_run_go_on_by_index(db: &Database) {
        let all = ApprovalFilter { scope: ListScope::Everything, run: None, status: None };
        let of_project = ApprovalFilter { scope: ListScope::Project(Uuid::max().into()), ..all.clone() };
        let of_run = ApprovalFilter { run: Some(Uuid::max().into()), ..all.clone() };
        let order = Order { by: approval::Column::RequestedAt, id: approval::Column::Id, descending: false };
        for filter in [all, of_project, of_run] {
            goes_on_by_index(db, asked(&filter), order, &Key::by_number(1, Uuid::nil())).await;
        }
    }
}
