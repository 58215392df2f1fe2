use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{error::PortError, ports::Clock};

use super::{
    key_ring::{KeyRing, SealedKey, SigningKeyStore, fresh},
    master_key::MasterKey,
};

/// How long a key is published before it signs, so that every replica and every external verifier has read it by then.
pub const PUBLISHED_BEFORE: TimeDelta = TimeDelta::minutes(10);

/// Adds signing keys and removes retired ones, for all replicas on one database.
#[derive(Clone)]
pub struct KeyRotation {
    store: Arc<dyn SigningKeyStore>,
    master: MasterKey,
    clock: Arc<dyn Clock>,
    life: TimeDelta,
}

impl KeyRotation {
    /// Rotates the keys of a store; `life` is the lifetime of the tokens they sign.
    #[must_use]
    pub fn new(store: Arc<dyn SigningKeyStore>, master: MasterKey, clock: Arc<dyn Clock>, life: TimeDelta) -> Self {
        Self { store, master, clock, life }
    }

    /// Publishes a new key, which signs a little later. Returns it, or `None` if another process was faster.
    ///
    /// # Errors
    /// [`PortError`] when the store fails or the present keys were sealed with another master key.
    pub async fn rotate(&self) -> Result<Option<SealedKey>, PortError> {
        let now = self.clock.now();
        // If the present keys can be opened, all replicas will be able to open the new one.
        KeyRing::load(self.store.as_ref(), &self.master, self.life, now).await?;
        match self.store.all().await?.last() {
            Some(last) => self.succeed(last, now).await,
            None => Ok(None),
        }
    }

    /// Publishes a new key if the last one is at least `age` old, and removes retired ones.
    ///
    /// # Errors
    /// As [`KeyRotation::rotate`].
    pub async fn keep_young(&self, age: TimeDelta) -> Result<Option<SealedKey>, PortError> {
        let now = self.clock.now();
        let ring = KeyRing::load(self.store.as_ref(), &self.master, self.life, now).await?;
        let retired = ring.retired(now);
        if !retired.is_empty() {
            self.store.remove(&retired).await?;
        }
        match self.store.all().await?.last() {
            Some(last) if last.created_at + age <= now => self.succeed(last, now).await,
            Some(_) | None => Ok(None),
        }
    }

    async fn succeed(&self, last: &SealedKey, now: DateTime<Utc>) -> Result<Option<SealedKey>, PortError> {
        let key = fresh(&self.master, now, now.max(last.signs_from) + PUBLISHED_BEFORE)?;
        Ok(self.store.add(&key, Some(&last.kid)).await?.then_some(key))
    }
}
