use async_trait::async_trait;
use devskyy_application::es::RecordedEvent;
use devskyy_domain::{
    kernel::Aggregate,
    secrets::{Secret, SecretEvent, SecretHosts},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::OnConflict,
};
use uuid::Uuid;

use super::entity::secret::{Column, Entity, Model};
use crate::{
    es::{ProjectionError, StreamRows},
    sql::{micros, stored},
};

/// One row per secret of a project.
#[derive(Debug, Clone, Copy)]
pub struct SecretsProjection;

fn document(hosts: &SecretHosts) -> Result<String, ProjectionError> {
    serde_json::to_string(hosts).map_err(|error| ProjectionError::from(DbErr::Custom(error.to_string())))
}

#[async_trait]
impl StreamRows for SecretsProjection {
    type Row = Model;

    fn name(&self) -> &'static str {
        "secrets"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["secrets"]
    }

    fn categories(&self) -> &'static [&'static str] {
        &[Secret::CATEGORY]
    }

    async fn load(&self, tx: &DatabaseTransaction, ids: &[Uuid]) -> Result<Vec<(Uuid, Model)>, ProjectionError> {
        let rows = Entity::find().filter(Column::Id.is_in(ids.iter().copied())).all(tx).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    fn fold(&self, row: Option<Model>, event: &RecordedEvent) -> Result<Option<Model>, ProjectionError> {
        let at = micros(event.recorded_at);
        let (version, position) = (stored(event.version), stored(event.position));
        let row = match (event.decode()?, row) {
            (SecretEvent::Added(it), _) => Some(Model {
                id: event.stream_id,
                project_id: it.project.into(),
                name: it.name.as_str().to_owned(),
                hosts: document(&it.hosts)?,
                value_id: Some(it.value.into()),
                created_at: at,
                updated_at: at,
                version,
                position,
            }),
            (SecretEvent::Replaced(it), Some(row)) => {
                Some(Model { hosts: document(&it.hosts)?, value_id: Some(it.value.into()), ..row })
            }
            (SecretEvent::Removed(_), Some(row)) => Some(Model { value_id: None, ..row }),
            (SecretEvent::Replaced(_) | SecretEvent::Removed(_), None) => None,
        };
        Ok(row.map(|row| Model { updated_at: at, version, position, ..row }))
    }

    async fn save(&self, tx: &DatabaseTransaction, rows: Vec<(Uuid, Option<Model>)>) -> Result<(), ProjectionError> {
        let rows = rows.into_iter().filter_map(|(_, row)| row).map(|row| row.into_active_model().reset_all());
        let newer = OnConflict::column(Column::Id)
            .update_columns([Column::Hosts, Column::ValueId, Column::UpdatedAt, Column::Version, Column::Position])
            .to_owned();
        Entity::insert_many(rows).on_conflict(newer).exec_without_returning(tx).await?;
        Ok(())
    }
}
