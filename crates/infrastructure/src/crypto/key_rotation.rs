use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{error::PortError, ports::Clock};

use super::{
    key_ring::{KeyRing, SealedKey, SigningKeyStore, fresh},
    master_key::MasterKey,
};

/// How long a key is published before it signs: every replica has read it by then, and so have those who verify tokens
/// elsewhere with the published key set.
pub const PUBLISHED_BEFORE: TimeDelta = TimeDelta::minutes(10);

/// Puts new signing keys beside old ones and lets old ones go, for all replicas on one database.
#[derive(Clone)]
pub struct KeyRotation {
    store: Arc<dyn SigningKeyStore>,
    master: MasterKey,
    clock: Arc<dyn Clock>,
    life: TimeDelta,
}

impl KeyRotation {
    /// Rotates the keys of a store; `life` is that of the tokens they sign.
    #[must_use]
    pub fn new(store: Arc<dyn SigningKeyStore>, master: MasterKey, clock: Arc<dyn Clock>, life: TimeDelta) -> Self {
        Self { store, master, clock, life }
    }

    /// Publishes a new key, which signs from a little later on. Says which, or nothing where somebody else was faster.
    ///
    /// # Errors
    /// [`PortError`] when the store fails or the master key is not the one the present keys were sealed with.
    pub async fn rotate(&self) -> Result<Option<SealedKey>, PortError> {
        let now = self.clock.now();
        // Opening the present keys shows that all who hold them will be able to open the new one.
        KeyRing::load(self.store.as_ref(), &self.master, self.life, now).await?;
        match self.store.all().await?.last() {
            Some(last) => self.succeed(last, now).await,
            None => Ok(None),
        }
    }

    /// Publishes a new key where the last one was made that long ago, and removes those that have had their time.
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
