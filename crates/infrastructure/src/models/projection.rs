use async_trait::async_trait;
use devskyy_application::es::RecordedEvent;
use devskyy_domain::{
    kernel::Aggregate,
    models::{Provider, ProviderAdded, ProviderEvent},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::OnConflict,
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    entity::provider::{Column, Entity, Model},
    status::ProviderStatus,
};
use crate::{
    es::{ProjectionError, StreamRows},
    sql::{micros, stored},
};

/// One row per provider of a project.
#[derive(Debug, Clone, Copy)]
pub struct ProvidersProjection;

/// Stored states of a provider's key.
pub(super) const KEYLESS: &str = "none";
pub(super) const HELD: &str = "held";
pub(super) const DROPPED: &str = "dropped";

fn document<T: Serialize>(value: &T) -> Result<String, ProjectionError> {
    serde_json::to_string(value).map_err(|error| ProjectionError::from(sea_orm::DbErr::Custom(error.to_string())))
}

fn new_row(event: &RecordedEvent, it: &ProviderAdded) -> Result<Model, ProjectionError> {
    Ok(Model {
        id: event.stream_id,
        project_id: it.project.into(),
        name: it.name.as_str().to_owned(),
        kind: it.kind.as_str().to_owned(),
        base_url: it.base_url.as_str().to_owned(),
        models: document(&it.models)?,
        prices: document(&it.prices)?,
        prices_version: 1,
        key_state: KEYLESS.to_owned(),
        key_id: None,
        status: ProviderStatus::Enabled.as_str().to_owned(),
        created_at: micros(event.recorded_at),
        updated_at: micros(event.recorded_at),
        version: stored(event.version),
        position: stored(event.position),
    })
}

fn take_in(row: &mut Model, fact: &ProviderEvent) -> Result<(), ProjectionError> {
    let become_status = |row: &mut Model, status: ProviderStatus| status.as_str().clone_into(&mut row.status);
    match fact {
        ProviderEvent::Added(_) => {}
        ProviderEvent::Moved(it) => {
            it.base_url.as_str().clone_into(&mut row.base_url);
            if row.key_state != KEYLESS {
                DROPPED.clone_into(&mut row.key_state);
            }
            row.key_id = None;
        }
        ProviderEvent::ModelsAllowed(it) => row.models = document(&it.models)?,
        ProviderEvent::Priced(it) => {
            row.prices = document(&it.prices)?;
            row.prices_version = it.version.into();
        }
        ProviderEvent::KeySet(it) => {
            HELD.clone_into(&mut row.key_state);
            row.key_id = Some(it.key.into());
        }
        ProviderEvent::Enabled(_) => become_status(row, ProviderStatus::Enabled),
        ProviderEvent::Disabled(_) => become_status(row, ProviderStatus::Disabled),
        ProviderEvent::Removed(_) => {
            become_status(row, ProviderStatus::Removed);
            row.key_id = None;
        }
    }
    Ok(())
}

#[async_trait]
impl StreamRows for ProvidersProjection {
    type Row = Model;

    fn name(&self) -> &'static str {
        "providers"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["providers"]
    }

    fn categories(&self) -> &'static [&'static str] {
        &[Provider::CATEGORY]
    }

    async fn load(&self, tx: &DatabaseTransaction, ids: &[Uuid]) -> Result<Vec<(Uuid, Model)>, ProjectionError> {
        let rows = Entity::find().filter(Column::Id.is_in(ids.iter().copied())).all(tx).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    fn fold(&self, row: Option<Model>, event: &RecordedEvent) -> Result<Option<Model>, ProjectionError> {
        let fact: ProviderEvent = event.decode()?;
        if let ProviderEvent::Added(it) = &fact {
            return new_row(event, it).map(Some);
        }
        let Some(mut row) = row else { return Ok(None) };
        take_in(&mut row, &fact)?;
        row.updated_at = micros(event.recorded_at);
        row.version = stored(event.version);
        row.position = stored(event.position);
        Ok(Some(row))
    }

    async fn save(&self, tx: &DatabaseTransaction, rows: Vec<(Uuid, Option<Model>)>) -> Result<(), ProjectionError> {
        let rows = rows.into_iter().filter_map(|(_, row)| row).map(|row| row.into_active_model().reset_all());
        let newer = OnConflict::column(Column::Id)
            .update_columns([
                Column::BaseUrl,
                Column::Models,
                Column::Prices,
                Column::PricesVersion,
                Column::KeyState,
                Column::KeyId,
                Column::Status,
                Column::UpdatedAt,
                Column::Version,
                Column::Position,
            ])
            .to_owned();
        Entity::insert_many(rows).on_conflict(newer).exec_without_returning(tx).await?;
        Ok(())
    }
}
