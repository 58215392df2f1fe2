use async_trait::async_trait;
use devskyy_application::{
    access::ListScope,
    error::PortError,
    paging::{PageOf, Part},
    runs::{ApprovalFilter, ApprovalView, ChildOf, RunFilter, RunStatus, RunSummary, RunViews},
};
use devskyy_domain::{
    kernel::ids::{ApprovalId, RunId},
    runs::Waiting,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryTrait, Select, sea_query::Expr};
use uuid::Uuid;

use super::{
    entity::{approval, run},
    rows::{PORT, approval_view, run_record},
};
use crate::{
    projects::projects_of,
    sql::{Database, Order, micros, part_of},
    totals::{Kept, List},
};

/// Runs and approvals, projected into `runs` and `run_approvals`.
#[derive(Debug, Clone)]
pub struct SqlRuns(Database);

impl SqlRuns {
    /// Creates the queries over a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }
}

fn matching(scope: ListScope, filter: &RunFilter) -> Select<run::Entity> {
    use run::Column::{AgentId, CreatedAt, ForkedFrom, ParentRunId, ProjectId, RetryOf};
    let all = run::Entity::find();
    let within = match scope {
        ListScope::Everything => all,
        ListScope::MemberOf(user) => all.filter(ProjectId.in_subquery(projects_of(user))),
        ListScope::Project(project) => all.filter(ProjectId.eq(Uuid::from(project))),
    };
    within
        .filter(standing(&filter.status))
        .filter(waiting(&filter.waiting_for))
        .apply_if(filter.agent, |some, agent| some.filter(AgentId.eq(Uuid::from(agent))))
        .apply_if(filter.parent, |some, parent| {
            some.filter(match parent {
                ChildOf::Nobody => ParentRunId.is_null(),
                ChildOf::Run(above) => ParentRunId.eq(Uuid::from(above)),
            })
        })
        .apply_if(filter.retry_of, |some, run| some.filter(RetryOf.eq(Uuid::from(run))))
        .apply_if(filter.forked_from, |some, run| some.filter(ForkedFrom.eq(Uuid::from(run))))
        .apply_if(filter.created_from, |some, from| some.filter(CreatedAt.gte(micros(from))))
        .apply_if(filter.created_before, |some, before| some.filter(CreatedAt.lt(micros(before))))
}

/// A single status uses the index; several are hidden from planners, which would sort everything they find.
fn standing(status: &[RunStatus]) -> Condition {
    match status {
        [] => Condition::all(),
        [only] => Condition::all().add(run::Column::Status.eq(only.as_str())),
        several => {
            let names: Vec<_> = several.iter().map(|status| format!("'{}'", status.as_str())).collect();
            Condition::all().add(Expr::cust(format!("(runs.status || '') IN ({})", names.join(", "))))
        }
    }
}

/// Only waiting runs can match a filter on what a run waits for.
fn waiting(reasons: &[Waiting]) -> Condition {
    if reasons.is_empty() {
        return Condition::all();
    }
    let any = reasons.iter().fold(Condition::any(), |any, reason| {
        any.add(run::Column::WaitingFor.like(format!("%\"{}\"%", reason.as_str())))
    });
    Condition::all().add(run::Column::Status.eq(RunStatus::Waiting.as_str())).add(any)
}

fn kept(scope: ListScope, filter: &RunFilter) -> Option<Kept> {
    let everything = RunFilter { sort: filter.sort, ..RunFilter::default() };
    (*filter == everything).then(|| Kept::within(List::Runs, scope))
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

#[async_trait]
impl RunViews for SqlRuns {
    async fn find(&self, run: RunId) -> Result<Option<RunSummary>, PortError> {
        let row =
            run::Entity::find_by_id(Uuid::from(run)).one(&self.0.reader).await.map_err(PORT.failed("finding a run"))?;
        Ok(row.map(run_record).transpose()?.map(|record| record.summary))
    }

    async fn list(&self, scope: ListScope, filter: &RunFilter, part: &Part) -> Result<PageOf<RunSummary>, PortError> {
        let order = Order { by: run::Column::CreatedAt, id: run::Column::Id, descending: filter.sort.descending };
        let found = part_of(&self.0.reader, matching(scope, filter), order, part, kept(scope, filter)).await;
        found.map_err(PORT.failed("listing runs"))?.try_map(|row| run_record(row).map(|record| record.summary))
    }

    async fn approval(&self, approval: ApprovalId) -> Result<Option<ApprovalView>, PortError> {
        let row = approval::Entity::find_by_id(Uuid::from(approval)).one(&self.0.reader).await;
        row.map_err(PORT.failed("finding an approval"))?.map(approval_view).transpose()
    }

    async fn approvals(&self, filter: &ApprovalFilter, part: &Part) -> Result<PageOf<ApprovalView>, PortError> {
        let order = Order { by: approval::Column::RequestedAt, id: approval::Column::Id, descending: false };
        let found = part_of(&self.0.reader, asked(filter), order, part, kept_questions(filter)).await;
        found.map_err(PORT.failed("listing approvals"))?.try_map(approval_view)
    }
}

#[cfg(test)]
mod tests {
    use devskyy_application::paging::Key;

    use super::{
        ApprovalFilter, ChildOf, ListScope, Order, RunFilter, RunStatus, Uuid, Waiting, approval, asked, matching, run,
    };
    use crate::sql::{
        Database,
        tests::{goes_on_by_index, on_both_engines},
    };

    on_both_engines!(runs_of_all_of_a_project_and_of_an_agent_go_on_by_index);

    fn of_project() -> ListScope {
        ListScope::Project(Uuid::max().into())
    }

    const fn by_age(descending: bool) -> Order<run::Column> {
        Order { by: run::Column::CreatedAt, id: run::Column::Id, descending }
    }

    async fn runs_of_all_of_a_project_and_of_an_agent_go_on_by_index(db: &Database) {
        let (all, of_agent) =
            (RunFilter::default(), RunFilter { agent: Some(Uuid::max().into()), ..RunFilter::default() });
        for (scope, filter) in [(ListScope::Everything, &all), (of_project(), &all), (ListScope::Everything, &of_agent)]
        {
            goes_on_by_index(db, matching(scope, filter), by_age(true), &Key::by_number(1, Uuid::nil())).await;
        }
    }

    on_both_engines!(runs_of_a_project_by_status_go_on_by_index_with_no_other_row_in_between);

    async fn runs_of_a_project_by_status_go_on_by_index_with_no_other_row_in_between(db: &Database) {
        let filter = RunFilter { status: vec![RunStatus::Waiting], ..RunFilter::default() };
        for descending in [true, false] {
            let place = Key::by_number(1, Uuid::nil());
            let plan = goes_on_by_index(db, matching(of_project(), &filter), by_age(descending), &place).await;
            assert!(plan.contains("runs_by_status"), "{plan}");
        }
    }

    on_both_engines!(runs_of_a_project_that_wait_for_people_go_on_among_those_that_wait);

    async fn runs_of_a_project_that_wait_for_people_go_on_among_those_that_wait(db: &Database) {
        let filter = RunFilter { waiting_for: vec![Waiting::Approval, Waiting::Reconcile], ..RunFilter::default() };
        let plan =
            goes_on_by_index(db, matching(of_project(), &filter), by_age(true), &Key::by_number(1, Uuid::nil())).await;
        assert!(plan.contains("runs_by_status"), "{plan}");
    }

    on_both_engines!(runs_of_a_project_at_one_of_several_places_go_on_by_index);

    async fn runs_of_a_project_at_one_of_several_places_go_on_by_index(db: &Database) {
        let filter = RunFilter { status: vec![RunStatus::Failed, RunStatus::Expired], ..RunFilter::default() };
        goes_on_by_index(db, matching(of_project(), &filter), by_age(true), &Key::by_number(1, Uuid::nil())).await;
    }

    on_both_engines!(children_retries_and_forks_of_a_run_go_on_by_an_index_of_their_own);

    async fn children_retries_and_forks_of_a_run_go_on_by_an_index_of_their_own(db: &Database) {
        let run = Uuid::max().into();
        let of_run = [
            (RunFilter { parent: Some(ChildOf::Run(run)), ..RunFilter::default() }, "runs_of_parent"),
            (RunFilter { retry_of: Some(run), ..RunFilter::default() }, "runs_retrying"),
            (RunFilter { forked_from: Some(run), ..RunFilter::default() }, "runs_forked"),
        ];
        for (filter, index) in of_run {
            let plan = goes_on_by_index(
                db,
                matching(ListScope::Everything, &filter),
                by_age(true),
                &Key::by_number(1, Uuid::nil()),
            )
            .await;
            assert!(plan.contains(index), "{plan}");
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
