use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    models::{KeyBinding, ProviderSecret, ProviderVault},
};
use devskyy_domain::kernel::ids::ProviderKeyId;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter};
use tokio::time::Instant;
use uuid::Uuid;

use super::entity::{key, provider};
use crate::{
    bounded_cache::BoundedCache,
    crypto::MasterKey,
    sql::{Database, Port, micros, naming, none},
};

const PORT: Port = Port("provider vault");
const PURPOSE: &str = "provider-key";
/// Capacity of the cache of sealed keys.
const AT_HAND: usize = 1_000;
/// Time to live of an entry. Keys are opened only while the log refers to them, so this limits memory, not revocation.
const FRESH: Duration = Duration::from_secs(60);

/// Sealed keys, and when they were cached.
type AtHand = BoundedCache<ProviderKeyId, (Instant, Arc<[u8]>)>;

/// Keys in `provider_keys`, sealed with the master key for one provider at one address. Neither events nor projections
/// contain them. A sealed key never changes, so a busy model costs one lookup per minute.
#[derive(Debug, Clone)]
pub struct SqlProviderVault {
    db: Database,
    master: MasterKey,
    at_hand: Arc<Mutex<AtHand>>,
}

impl SqlProviderVault {
    /// Uses the keys of a database.
    #[must_use]
    pub fn new(db: Database, master: MasterKey) -> Self {
        Self { db, master, at_hand: Arc::new(Mutex::new(BoundedCache::of(AT_HAND))) }
    }

    fn at_hand(&self) -> MutexGuard<'_, AtHand> {
        self.at_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sealed(&self, id: ProviderKeyId) -> Result<Option<Arc<[u8]>>, PortError> {
        let known = self.at_hand().get(&id).filter(|(since, _)| since.elapsed() < FRESH).map(|(_, key)| key.clone());
        if known.is_some() {
            return Ok(known);
        }
        let found: Option<Arc<[u8]>> = self.row(id).await?.map(|row| row.sealed.into());
        match &found {
            Some(key) => self.at_hand().insert(id, (Instant::now(), key.clone())),
            None => self.at_hand().remove(&id),
        }
        Ok(found)
    }

    async fn row(&self, id: ProviderKeyId) -> Result<Option<key::Model>, PortError> {
        let found = key::Entity::find_by_id(Uuid::from(id)).one(&self.db.reader).await;
        found.map_err(PORT.failed("reading a key"))
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

/// The name a sealed key is bound to; it cannot be decrypted under another.
fn bound(binding: &KeyBinding) -> String {
    format!("{}|{}|{}", binding.id, binding.provider, binding.base_url)
}

#[async_trait]
impl ProviderVault for SqlProviderVault {
    async fn save(&self, binding: &KeyBinding, key: &ProviderSecret, now: DateTime<Utc>) -> Result<(), PortError> {
        let sealed = self.master.seal(PURPOSE, &bound(binding), key.expose().as_bytes());
        let row = key::Model {
            id: binding.id.into(),
            provider_id: binding.provider.into(),
            sealed: sealed.map_err(PORT.bug("sealing a key"))?,
            hint: key.hint(),
            created_at: micros(now),
        };
        let saved = key::Entity::insert(row.into_active_model()).exec_without_returning(&self.db.writer).await;
        saved.map(|_| ()).map_err(PORT.failed("keeping a key"))
    }

    async fn open(&self, binding: &KeyBinding) -> Result<Option<ProviderSecret>, PortError> {
        let Some(sealed) = self.sealed(binding.id).await? else { return Ok(None) };
        let opened = self.master.open(PURPOSE, &bound(binding), &sealed);
        let text = opened.as_ref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        Ok(text.and_then(|text| ProviderSecret::parse(text).ok()))
    }

    async fn hint(&self, key: ProviderKeyId) -> Result<Option<String>, PortError> {
        Ok(self.row(key).await?.map(|row| row.hint))
    }

    async fn remove(&self, key: ProviderKeyId) -> Result<(), PortError> {
        let removed = key::Entity::delete_by_id(Uuid::from(key)).exec(&self.db.writer).await;
        self.at_hand().remove(&key);
        removed.map(|_| ()).map_err(PORT.failed("letting go of a key"))
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        self.at_hand().clear();
        self.delete_orphans(micros(before)).await.map_err(PORT.failed("sweeping keys"))
    }
}
