use async_trait::async_trait;
use devskyy_application::{es::RecordedEvent, identity::UserStatus};
use devskyy_domain::{
    identity::{User, UserEvent},
    kernel::Aggregate,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::OnConflict,
};
use uuid::Uuid;

use super::entity::user;
use crate::{
    es::{ProjectionError, StreamRows},
    sql::{micros, stored},
};

/// One row per user.
#[derive(Debug, Clone, Copy)]
pub struct UsersProjection;

#[async_trait]
impl StreamRows for UsersProjection {
    type Row = user::Model;

    fn name(&self) -> &'static str {
        "users"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["users"]
    }

    fn categories(&self) -> &'static [&'static str] {
        &[User::CATEGORY]
    }

    async fn load(&self, tx: &DatabaseTransaction, ids: &[Uuid]) -> Result<Vec<(Uuid, user::Model)>, ProjectionError> {
        let rows = user::Entity::find().filter(user::Column::Id.is_in(ids.iter().copied())).all(tx).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    fn fold(&self, row: Option<user::Model>, event: &RecordedEvent) -> Result<Option<user::Model>, ProjectionError> {
        let fact: UserEvent = event.decode()?;
        if let UserEvent::Registered(it) = fact {
            return Ok(Some(user::Model {
                id: event.stream_id,
                role: it.role.as_str().to_owned(),
                status: UserStatus::Active.as_str().to_owned(),
                personal_project: it.personal_project.into(),
                created_at: micros(event.recorded_at),
                version: stored(event.version),
                position: stored(event.position),
            }));
        }
        let Some(mut row) = row else { return Ok(None) };
        row.version = stored(event.version);
        row.position = stored(event.position);
        match fact {
            UserEvent::Registered(_) => {}
            UserEvent::Disabled(_) => row.status = UserStatus::Disabled.as_str().to_owned(),
            UserEvent::Enabled(_) => row.status = UserStatus::Active.as_str().to_owned(),
            UserEvent::PasswordChanged(_) => {}
            UserEvent::Erased(_) => row.status = UserStatus::Erased.as_str().to_owned(),
            UserEvent::RoleChanged(it) => row.role = it.role.as_str().to_owned(),
        }
        Ok(Some(row))
    }

    async fn save(
        &self,
        tx: &DatabaseTransaction,
        rows: Vec<(Uuid, Option<user::Model>)>,
    ) -> Result<(), ProjectionError> {
        let rows = rows.into_iter().filter_map(|(_, row)| row).map(|row| row.into_active_model().reset_all());
        let newer = OnConflict::column(user::Column::Id)
            .update_columns([user::Column::Role, user::Column::Status, user::Column::Version, user::Column::Position])
            .to_owned();
        user::Entity::insert_many(rows).on_conflict(newer).exec_without_returning(tx).await?;
        Ok(())
    }
}
