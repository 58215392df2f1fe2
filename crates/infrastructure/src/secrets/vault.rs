use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    secrets::{SecretBinding, SecretVault},
};
use devskyy_domain::{kernel::ids::SecretValueId, secrets::SecretValue};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use super::entity::{secret, value};
use crate::{
    crypto::MasterKey,
    sql::{Database, Port, micros, naming, none},
};

const PORT: Port = Port("secret vault");
const PURPOSE: &str = "tool-secret";

/// Values in `secret_values`, sealed with the master key for one secret and its hosts. Neither events nor projections
/// contain them.
#[derive(Debug, Clone)]
pub struct SqlSecretVault {
    db: Database,
    master: MasterKey,
}

impl SqlSecretVault {
    /// Uses the values of a database.
    #[must_use]
    pub const fn new(db: Database, master: MasterKey) -> Self {
        Self { db, master }
    }

    async fn delete_orphans(&self, before: i64) -> Result<u64, DbErr> {
        let swept = value::Entity::delete_many()
            .filter(none(naming(value::Column::Id, secret::Column::ValueId)))
            .filter(value::Column::CreatedAt.lt(before))
            .exec(&self.db.writer)
            .await?;
        Ok(swept.rows_affected)
    }
}

/// The name a sealed value is bound to; it cannot be decrypted under another.
fn bound(binding: &SecretBinding) -> String {
    let hosts: Vec<_> = binding.hosts.iter().collect();
    format!("{}|{}|{}", binding.id, binding.secret, hosts.join(","))
}

#[async_trait]
impl SecretVault for SqlSecretVault {
    async fn save(&self, binding: &SecretBinding, value: &SecretValue, now: DateTime<Utc>) -> Result<(), PortError> {
        let sealed = self.master.seal(PURPOSE, &bound(binding), value.expose().as_bytes());
        let row = value::Model {
            id: binding.id.into(),
            secret_id: binding.secret.into(),
            sealed: sealed.map_err(PORT.bug("sealing a value"))?,
            created_at: micros(now),
        };
        let saved = value::Entity::insert(row.into_active_model()).exec_without_returning(&self.db.writer).await;
        saved.map(|_| ()).map_err(PORT.failed("keeping a value"))
    }

    async fn open(&self, binding: &SecretBinding) -> Result<Option<SecretValue>, PortError> {
        let found = value::Entity::find_by_id(Uuid::from(binding.id)).one(&self.db.reader).await;
        let Some(row) = found.map_err(PORT.failed("reading a value"))? else { return Ok(None) };
        let opened = self.master.open(PURPOSE, &bound(binding), &row.sealed);
        let text = opened.as_ref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        Ok(text.and_then(|text| SecretValue::parse(text).ok()))
    }

    async fn remove(&self, value: SecretValueId) -> Result<(), PortError> {
        let removed = value::Entity::delete_by_id(Uuid::from(value)).exec(&self.db.writer).await;
        removed.map(|_| ()).map_err(PORT.failed("letting go of a value"))
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        self.delete_orphans(micros(before)).await.map_err(PORT.failed("sweeping values"))
    }
}
