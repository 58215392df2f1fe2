use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    models::{KeyBinding, ProviderSecret, ProviderVault},
};
use devskyy_domain::kernel::ids::ProviderKeyId;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use super::entity::{key, provider};
use crate::{
    crypto::MasterKey,
    sql::{Database, micros, naming, none, port_error},
};

const PORT: &str = "provider vault";
const PURPOSE: &str = "provider-key";

/// Keys in `provider_keys`, sealed with the master key for one provider at one address. No event and no projection
/// ever touches them.
#[derive(Debug, Clone)]
pub struct SqlProviderVault {
    db: Database,
    master: MasterKey,
}

impl SqlProviderVault {
    /// The keys of a database.
    #[must_use]
    pub const fn new(db: Database, master: MasterKey) -> Self {
        Self { db, master }
    }

    async fn row(&self, id: ProviderKeyId) -> Result<Option<key::Model>, PortError> {
        let found = key::Entity::find_by_id(Uuid::from(id)).one(&self.db.reader).await;
        found.map_err(failed("reading a key"))
    }

    async fn delete_orphans(&self, before: i64) -> Result<u64, DbErr> {
        let swept = key::Entity::delete_many()
            .filter(none(naming(key::Column::Id, provider::Column::KeyId)))
            .filter(key::Column::CreatedAt.lt(before))
            .exec(&self.db.writer)
            .await?;
        Ok(swept.rows_affected)
    }
}

/// What a sealed key is bound to: it opens under this name only.
fn bound(binding: &KeyBinding) -> String {
    format!("{}|{}|{}", binding.id, binding.provider, binding.base_url)
}

fn failed(doing: &'static str) -> impl Fn(DbErr) -> PortError {
    move |error| port_error(PORT, doing, error)
}

#[async_trait]
impl ProviderVault for SqlProviderVault {
    async fn save(&self, binding: &KeyBinding, key: &ProviderSecret, now: DateTime<Utc>) -> Result<(), PortError> {
        let sealed = self.master.seal(PURPOSE, &bound(binding), key.expose().as_bytes());
        let row = key::Model {
            id: binding.id.into(),
            provider_id: binding.provider.into(),
            sealed: sealed.map_err(|error| PortError::bug(PORT, "sealing a key", error))?,
            hint: key.hint(),
            created_at: micros(now),
        };
        let saved = key::Entity::insert(row.into_active_model()).exec_without_returning(&self.db.writer).await;
        saved.map(|_| ()).map_err(failed("keeping a key"))
    }

    async fn open(&self, binding: &KeyBinding) -> Result<Option<ProviderSecret>, PortError> {
        let Some(row) = self.row(binding.id).await? else { return Ok(None) };
        let opened = self.master.open(PURPOSE, &bound(binding), &row.sealed);
        let text = opened.as_ref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        Ok(text.and_then(|text| ProviderSecret::parse(text).ok()))
    }

    async fn hint(&self, key: ProviderKeyId) -> Result<Option<String>, PortError> {
        Ok(self.row(key).await?.map(|row| row.hint))
    }

    async fn remove(&self, key: ProviderKeyId) -> Result<(), PortError> {
        let removed = key::Entity::delete_by_id(Uuid::from(key)).exec(&self.db.writer).await;
        removed.map(|_| ()).map_err(failed("letting go of a key"))
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        self.delete_orphans(micros(before)).await.map_err(failed("sweeping keys"))
    }
}
