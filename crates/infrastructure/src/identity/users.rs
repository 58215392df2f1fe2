use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    identity::{UserRecord, UserStatus, UserViews},
};
use devskyy_domain::{identity::PlatformRole, kernel::ids::UserId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::entity::user;
use crate::sql::{Database, instant, loaded, port_error};

const PORT: &str = "user views";

/// Users as projected into `users`.
#[derive(Debug, Clone)]
pub struct SqlUsers(Database);

impl SqlUsers {
    /// Users of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }
}

#[async_trait]
impl UserViews for SqlUsers {
    async fn find(&self, id: UserId) -> Result<Option<UserRecord>, PortError> {
        let found = user::Entity::find_by_id(Uuid::from(id)).one(&self.0.reader).await;
        found.map_err(|error| port_error(PORT, "finding a user", error))?.as_ref().map(record).transpose()
    }

    async fn has_admin(&self) -> Result<bool, PortError> {
        let admin = user::Entity::find()
            .select_only()
            .column(user::Column::Id)
            .filter(user::Column::Role.eq(PlatformRole::Admin.as_str()))
            .into_tuple::<Uuid>()
            .one(&self.0.reader)
            .await;
        Ok(admin.map_err(|error| port_error(PORT, "looking for an administrator", error))?.is_some())
    }
}

fn record(row: &user::Model) -> Result<UserRecord, PortError> {
    let damaged = |what: &str| PortError::bug(PORT, "reading a user", format!("`{what}` is no such value"));
    Ok(UserRecord {
        id: row.id.into(),
        role: PlatformRole::from_name(&row.role).ok_or_else(|| damaged(&row.role))?,
        status: UserStatus::from_name(&row.status).ok_or_else(|| damaged(&row.status))?,
        personal_project: row.personal_project.into(),
        created_at: instant(row.created_at),
        version: loaded(row.version),
    })
}
