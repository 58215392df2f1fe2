use async_trait::async_trait;
use devskyy_application::{
    access::{ListScope, Memberships, Standing},
    error::PortError,
    paging::{PageOf, Part},
    projects::{MemberRecord, ProjectFilter, ProjectSort, ProjectView, ProjectViews},
};
use devskyy_domain::{
    kernel::ids::{ProjectId, UserId},
    projects::{ProjectRole, ProjectStatus},
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{IntoCondition, SelectStatement},
};
use uuid::Uuid;

use super::entity::{member, project};
use crate::{
    sql::{Database, Order, Port, containing, instant, loaded, part_of},
    totals::{Kept, List},
};

const PORT: Port = Port("project views");

/// Projects and memberships from the projections `projects` and `project_members`.
#[derive(Debug, Clone)]
pub struct SqlProjects(Database);

impl SqlProjects {
    /// Uses the projects of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }

    async fn row(&self, id: ProjectId) -> Result<Option<project::Model>, PortError> {
        project::Entity::find_by_id(Uuid::from(id)).one(&self.0.reader).await.map_err(PORT.failed("finding a project"))
    }

    async fn member_row(&self, project: ProjectId, user: UserId) -> Result<Option<member::Model>, PortError> {
        let key = (Uuid::from(project), Uuid::from(user));
        member::Entity::find_by_id(key).one(&self.0.reader).await.map_err(PORT.failed("finding a member"))
    }
}

/// Ids of the projects a user is a member of, to filter lists of their contents.
pub(crate) fn projects_of(user: UserId) -> SelectStatement {
    member::Entity::find()
        .select_only()
        .column(member::Column::ProjectId)
        .filter(member::Column::UserId.eq(Uuid::from(user)))
        .into_query()
}

fn matching(filter: &ProjectFilter) -> Select<project::Entity> {
    let all = project::Entity::find();
    let within = match filter.scope {
        ListScope::Everything => all,
        ListScope::MemberOf(user) => all.filter(project::Column::Id.in_subquery(projects_of(user))),
        ListScope::Project(id) => all.filter(project::Column::Id.eq(Uuid::from(id))),
    };
    within
        .apply_if(filter.status, |some, status| some.filter(project::Column::Status.eq(status.as_str())))
        .apply_if(filter.name.as_deref(), |some, name| containing(some, project::Column::NameKey.into_expr(), name))
}

fn kept(filter: &ProjectFilter) -> Option<Kept> {
    let ProjectFilter { scope, status, name, sort: _ } = filter;
    match scope {
        _ if status.is_some() || name.is_some() => None,
        ListScope::Everything => Some(Kept::all(List::Projects)),
        ListScope::MemberOf(user) => Some(Kept::Of(List::Projects, (*user).into())),
        ListScope::Project(_) => None,
    }
}

#[async_trait]
impl ProjectViews for SqlProjects {
    async fn find(&self, id: ProjectId) -> Result<Option<ProjectView>, PortError> {
        self.row(id).await?.map(view).transpose()
    }

    async fn list(&self, filter: &ProjectFilter, part: &Part) -> Result<PageOf<ProjectView>, PortError> {
        let by = match filter.sort.by {
            ProjectSort::CreatedAt => project::Column::CreatedAt,
            ProjectSort::Name => project::Column::NameKey,
        };
        let order = Order { by, id: project::Column::Id, descending: filter.sort.descending };
        let found = part_of(&self.0.reader, matching(filter), order, part, kept(filter)).await;
        found.map_err(PORT.failed("listing projects"))?.try_map(view)
    }

    async fn members(&self, id: ProjectId, part: &Part) -> Result<PageOf<MemberRecord>, PortError> {
        let order = Order { by: member::Column::AddedAt, id: member::Column::UserId, descending: false };
        let of_project = member::Entity::find().filter(member::Column::ProjectId.eq(Uuid::from(id)));
        let found = part_of(&self.0.reader, of_project, order, part, Some(Kept::Of(List::Members, id.into()))).await;
        found.map_err(PORT.failed("listing members"))?.try_map(|row| record(&row))
    }

    async fn member(&self, project: ProjectId, user: UserId) -> Result<Option<MemberRecord>, PortError> {
        self.member_row(project, user).await?.as_ref().map(record).transpose()
    }
}

#[async_trait]
impl Memberships for SqlProjects {
    async fn standing(&self, project: ProjectId, user: UserId) -> Result<Option<Standing>, PortError> {
        let standing = project::Entity::find_by_id(Uuid::from(project))
            .select_only()
            .column(project::Column::Status)
            .column(member::Column::Role)
            .join(sea_orm::JoinType::LeftJoin, membership_of(user))
            .into_tuple::<(String, Option<String>)>()
            .one(&self.0.reader)
            .await
            .map_err(PORT.failed("checking a membership"))?;
        let Some((status, role)) = standing else { return Ok(None) };
        let status = ProjectStatus::from_name(&status).ok_or_else(|| PORT.damaged("reading a project", &status))?;
        let role = role
            .map(|role| ProjectRole::parse(&role).map_err(|_| PORT.damaged("reading a project", &role)))
            .transpose()?;
        Ok(Some(Standing { status, role }))
    }

    async fn acquainted(&self, one: UserId, other: UserId) -> Result<bool, PortError> {
        let shared = member::Entity::find()
            .select_only()
            .column(member::Column::ProjectId)
            .filter(member::Column::UserId.eq(Uuid::from(one)))
            .filter(member::Column::ProjectId.in_subquery(projects_of(other)))
            .limit(1)
            .into_tuple::<Uuid>()
            .one(&self.0.reader)
            .await;
        Ok(shared.map_err(PORT.failed("looking for a shared project"))?.is_some())
    }

    async fn personal_project(&self, user: UserId) -> Result<Option<ProjectId>, PortError> {
        let id = project::Entity::find()
            .select_only()
            .column(project::Column::Id)
            .filter(project::Column::PersonalOf.eq(Uuid::from(user)))
            .into_tuple::<Uuid>()
            .one(&self.0.reader)
            .await;
        Ok(id.map_err(PORT.failed("finding a personal project"))?.map(ProjectId::from))
    }
}

/// The join from a project to a user's membership.
fn membership_of(user: UserId) -> sea_orm::RelationDef {
    let to_member = project::Entity::belongs_to(member::Entity)
        .from(project::Column::Id)
        .to(member::Column::ProjectId)
        .on_condition(move |_, _| member::Column::UserId.eq(Uuid::from(user)).into_condition());
    to_member.into()
}

fn view(row: project::Model) -> Result<ProjectView, PortError> {
    Ok(ProjectView {
        id: row.id.into(),
        status: ProjectStatus::from_name(&row.status).ok_or_else(|| PORT.damaged("reading a project", &row.status))?,
        name: row.name,
        slug: row.slug,
        personal: row.personal_of.is_some(),
        created_at: instant(row.created_at),
        version: loaded(row.version),
    })
}

fn record(row: &member::Model) -> Result<MemberRecord, PortError> {
    let role = ProjectRole::parse(&row.role).map_err(|_| PORT.damaged("reading a project", &row.role))?;
    Ok(MemberRecord { user: row.user_id.into(), role, added_at: instant(row.added_at) })
}

#[cfg(test)]
mod tests {
    use devskyy_application::paging::{Key, Sort};

    use super::{ListScope, Order, ProjectFilter, ProjectSort, Uuid, matching, member, project};
    use crate::sql::{
        Database,
        tests::{goes_on_by_index, on_both_engines},
    };

    on_both_engines!(projects_go_on_by_index_in_both_orders);

    async fn projects_go_on_by_index_in_both_orders(db: &Database) {
        for (by, column, place) in [
            (ProjectSort::CreatedAt, project::Column::CreatedAt, Key::by_number(1, Uuid::nil())),
            (ProjectSort::Name, project::Column::NameKey, Key::by_name("m", Uuid::nil())),
        ] {
            let filter =
                ProjectFilter { scope: ListScope::Everything, status: None, name: None, sort: Sort::descending(by) };
            let order = Order { by: column, id: project::Column::Id, descending: true };
            goes_on_by_index(db, matching(&filter), order, &place).await;
        }
    }

    on_both_engines!(members_go_on_by_index);

    async fn members_go_on_by_index(db: &Database) {
        use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
        let order = Order { by: member::Column::AddedAt, id: member::Column::UserId, descending: false };
        let rows = member::Entity::find().filter(member::Column::ProjectId.eq(Uuid::max()));
        goes_on_by_index(db, rows, order, &Key::by_number(1, Uuid::nil())).await;
    }
}
