use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    identity::{UserFilter, UserRecord, UserStatus, UserViews},
    paging::{PageOf, Part},
};
use devskyy_domain::{identity::PlatformRole, kernel::ids::UserId};
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, Select};
use uuid::Uuid;

use super::entity::user;
use crate::{
    sql::{Database, Order, Port, instant, loaded, part_of},
    totals::{Kept, List},
};

const PORT: Port = Port("user views");

/// Users from the projection `users`.
#[derive(Debug, Clone)]
pub struct SqlUsers(Database);

impl SqlUsers {
    /// Uses the users of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }
}

#[async_trait]
impl UserViews for SqlUsers {
    async fn find(&self, id: UserId) -> Result<Option<UserRecord>, PortError> {
        let found = user::Entity::find_by_id(Uuid::from(id)).one(&self.0.reader).await;
        found.map_err(PORT.failed("finding a user"))?.as_ref().map(record).transpose()
    }

    async fn has_admin(&self) -> Result<bool, PortError> {
        let admin = user::Entity::find()
            .select_only()
            .column(user::Column::Id)
            .filter(user::Column::Role.eq(PlatformRole::Admin.as_str()))
            .into_tuple::<Uuid>()
            .one(&self.0.reader)
            .await;
        Ok(admin.map_err(PORT.failed("looking for an administrator"))?.is_some())
    }

    async fn active_administrators(&self) -> Result<u64, PortError> {
        let (role, status) = (Some(PlatformRole::Admin), Some(UserStatus::Active));
        let filter = UserFilter { role, status, ..UserFilter::default() };
        let count = chosen(filter).count(&self.0.reader).await;
        count.map_err(PORT.failed("counting administrators"))
    }

    async fn list(&self, filter: UserFilter, part: &Part) -> Result<PageOf<UserRecord>, PortError> {
        let order = Order { by: user::Column::CreatedAt, id: user::Column::Id, descending: filter.sort.descending };
        let found = part_of(&self.0.reader, chosen(filter), order, part, kept(filter)).await;
        found.map_err(PORT.failed("listing users"))?.try_map(|row| record(&row))
    }
}

fn kept(filter: UserFilter) -> Option<Kept> {
    let UserFilter { role, status, user, sort: _ } = filter;
    let narrowed = role.is_some() || status.is_some() || user.is_some();
    (!narrowed).then(|| Kept::all(List::Users))
}

fn chosen(filter: UserFilter) -> Select<user::Entity> {
    let role = filter.role.map(|role| user::Column::Role.eq(role.as_str()));
    let status = filter.status.map(|status| user::Column::Status.eq(status.as_str()));
    let only = filter.user.map(|user| user::Column::Id.eq(Uuid::from(user)));
    user::Entity::find().filter(Condition::all().add_option(role).add_option(status).add_option(only))
}

fn record(row: &user::Model) -> Result<UserRecord, PortError> {
    Ok(UserRecord {
        id: row.id.into(),
        role: PlatformRole::from_name(&row.role).ok_or_else(|| PORT.damaged("reading a user", &row.role))?,
        status: UserStatus::from_name(&row.status).ok_or_else(|| PORT.damaged("reading a user", &row.status))?,
        personal_project: row.personal_project.into(),
        created_at: instant(row.created_at),
        version: loaded(row.version),
    })
}

#[cfg(test)]
mod tests {
    use devskyy_application::{identity::UserFilter, paging::Key};

    use super::{Order, Uuid, chosen, user};
    use crate::sql::{
        Database,
        tests::{goes_on_by_index, on_both_engines},
    };

    on_both_engines!(users_go_on_by_index);

    async fn users_go_on_by_index(db: &Database) {
        let order = Order { by: user::Column::CreatedAt, id: user::Column::Id, descending: false };
        goes_on_by_index(db, chosen(UserFilter::default()), order, &Key::by_number(1, Uuid::nil())).await;
    }
}
