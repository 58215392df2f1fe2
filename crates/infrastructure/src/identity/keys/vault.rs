use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    identity::{KeySecret, KeyVault},
};
use devskyy_domain::kernel::ids::KeySecretId;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use super::entity::{api_key, secret};
use crate::sql::{Database, Port, micros, naming, none};

const PORT: Port = Port("key vault");

/// Digests of secrets in `api_key_secrets`, which neither events nor projections contain.
#[derive(Debug, Clone)]
pub struct SqlKeyVault(Database);

impl SqlKeyVault {
    /// Uses the digests of a database.
    #[must_use]
    pub const fn new(db: Database) -> Self {
        Self(db)
    }

    async fn delete_orphans(&self, before: i64) -> Result<u64, DbErr> {
        let swept = secret::Entity::delete_many()
            .filter(none(naming(secret::Column::Id, api_key::Column::SecretId)))
            .filter(none(naming(secret::Column::Id, api_key::Column::PreviousSecretId)))
            .filter(secret::Column::CreatedAt.lt(before))
            .exec(&self.0.writer)
            .await?;
        Ok(swept.rows_affected)
    }
}

#[async_trait]
impl KeyVault for SqlKeyVault {
    async fn save(&self, secret: &KeySecret) -> Result<(), PortError> {
        let row = secret::Model {
            id: secret.id.into(),
            key_id: secret.key.into(),
            digest: secret.digest.to_vec(),
            created_at: micros(secret.created_at),
        };
        let saved = secret::Entity::insert(row.into_active_model()).exec_without_returning(&self.0.writer).await;
        saved.map(|_| ()).map_err(PORT.failed("keeping a secret"))
    }

    async fn remove(&self, secret: KeySecretId) -> Result<(), PortError> {
        let removed = secret::Entity::delete_by_id(Uuid::from(secret)).exec(&self.0.writer).await;
        removed.map(|_| ()).map_err(PORT.failed("letting go of a secret"))
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        self.delete_orphans(micros(before)).await.map_err(PORT.failed("sweeping secrets"))
    }
}
