use async_trait::async_trait;
use devskyy_application::es::RecordedEvent;
use devskyy_domain::{
    identity::{ApiKey, ApiKeyEvent, ApiKeyIssued},
    kernel::Aggregate,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::OnConflict,
};
use uuid::Uuid;

use super::entity::api_key;
use crate::{
    es::{ProjectionError, StreamRows},
    sql::{micros, stored},
};

/// One row per API key.
#[derive(Debug, Clone, Copy)]
pub struct ApiKeysProjection;

fn new_row(event: &RecordedEvent, it: &ApiKeyIssued) -> api_key::Model {
    let scopes: Vec<&str> = it.scopes.iter().map(|scope| scope.as_str()).collect();
    api_key::Model {
        id: event.stream_id,
        project_id: it.project.into(),
        issuer_id: it.issuer.into(),
        name: it.name.as_str().to_owned(),
        role: it.role.as_str().to_owned(),
        scopes: scopes.join(" "),
        secret_id: it.secret.into(),
        previous_secret_id: None,
        previous_until: None,
        expires_at: micros(it.expires_at),
        created_at: micros(event.recorded_at),
        rotated_at: None,
        revoked_at: None,
        version: stored(event.version),
        position: stored(event.position),
    }
}

#[async_trait]
impl StreamRows for ApiKeysProjection {
    type Row = api_key::Model;

    fn name(&self) -> &'static str {
        "api_keys"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["api_keys"]
    }

    fn categories(&self) -> &'static [&'static str] {
        &[ApiKey::CATEGORY]
    }

    async fn load(
        &self,
        tx: &DatabaseTransaction,
        ids: &[Uuid],
    ) -> Result<Vec<(Uuid, api_key::Model)>, ProjectionError> {
        let rows = api_key::Entity::find().filter(api_key::Column::Id.is_in(ids.iter().copied())).all(tx).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    fn fold(
        &self,
        row: Option<api_key::Model>,
        event: &RecordedEvent,
    ) -> Result<Option<api_key::Model>, ProjectionError> {
        let fact: ApiKeyEvent = event.decode()?;
        if let ApiKeyEvent::Issued(it) = &fact {
            return Ok(Some(new_row(event, it)));
        }
        let Some(mut row) = row else { return Ok(None) };
        row.version = stored(event.version);
        row.position = stored(event.position);
        match fact {
            ApiKeyEvent::Issued(_) => {}
            ApiKeyEvent::Rotated(it) => {
                row.previous_secret_id = Some(std::mem::replace(&mut row.secret_id, it.secret.into()));
                row.previous_until = Some(micros(it.previous_until));
                row.expires_at = micros(it.expires_at);
                row.rotated_at = Some(micros(event.recorded_at));
            }
            ApiKeyEvent::Revoked(_) => row.revoked_at = Some(micros(event.recorded_at)),
        }
        Ok(Some(row))
    }

    async fn save(
        &self,
        tx: &DatabaseTransaction,
        rows: Vec<(Uuid, Option<api_key::Model>)>,
    ) -> Result<(), ProjectionError> {
        use api_key::Column::{
            ExpiresAt, Id, Position, PreviousSecretId, PreviousUntil, RevokedAt, RotatedAt, SecretId, Version,
        };
        let rows = rows.into_iter().filter_map(|(_, row)| row).map(|row| row.into_active_model().reset_all());
        let newer = OnConflict::column(Id)
            .update_columns([
                SecretId,
                PreviousSecretId,
                PreviousUntil,
                ExpiresAt,
                RotatedAt,
                RevokedAt,
                Version,
                Position,
            ])
            .to_owned();
        api_key::Entity::insert_many(rows).on_conflict(newer).exec_without_returning(tx).await?;
        Ok(())
    }
}
