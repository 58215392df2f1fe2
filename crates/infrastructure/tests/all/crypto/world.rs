//! Signing keys in memory, and access tokens over them.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{error::PortError, identity::AccessClaims, ports::Clock};
use devskyy_domain::kernel::ids::{SessionId, UserId};
use devskyy_infrastructure::crypto::{
    EdDsaAccessTokens, KeyRotation, MasterKey, SealedKey, SigningKeyStore, TokenSettings,
};
use devskyy_testkit::fakes::FixedClock;
use uuid::Uuid;

#[derive(Default)]
pub(super) struct KeysInMemory {
    keys: Mutex<Vec<SealedKey>>,
    reads: AtomicU64,
}

impl KeysInMemory {
    /// How often the keys have been read.
    pub(super) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl SigningKeyStore for KeysInMemory {
    async fn all(&self) -> Result<Vec<SealedKey>, PortError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Ok(self.keys.lock().unwrap().clone())
    }

    async fn add(&self, key: &SealedKey, after: Option<&str>) -> Result<bool, PortError> {
        let mut keys = self.keys.lock().unwrap();
        let free = keys.last().map(|last| last.kid.as_str()) == after;
        if free {
            keys.push(key.clone());
        }
        Ok(free)
    }

    async fn remove(&self, kids: &[String]) -> Result<(), PortError> {
        self.keys.lock().unwrap().retain(|key| !kids.contains(&key.kid));
        Ok(())
    }
}

pub(super) fn master() -> MasterKey {
    MasterKey::parse(&"a7".repeat(32)).unwrap()
}

pub(super) fn now() -> DateTime<Utc> {
    FixedClock::default().now()
}

pub(super) fn claims() -> AccessClaims {
    claims_at(now())
}

pub(super) fn claims_at(issued_at: DateTime<Utc>) -> AccessClaims {
    AccessClaims {
        id: Uuid::from_u128(1),
        user: UserId::from(Uuid::from_u128(2)),
        session: SessionId::from(Uuid::from_u128(3)),
        issued_at,
        expires_at: issued_at + TimeDelta::minutes(15),
    }
}

/// A replica over some keys, with a clock that may be shared.
pub(super) async fn replica(
    store: &Arc<dyn SigningKeyStore>,
    settings: TokenSettings,
    clock: &Arc<FixedClock>,
) -> EdDsaAccessTokens {
    let _already_installed = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    EdDsaAccessTokens::load(settings, store.clone(), master(), clock.clone()).await.unwrap()
}

pub(super) fn rotation(store: &Arc<dyn SigningKeyStore>, clock: &Arc<FixedClock>) -> KeyRotation {
    KeyRotation::new(store.clone(), master(), clock.clone(), TimeDelta::minutes(15))
}

pub(super) async fn tokens_over(store: &Arc<KeysInMemory>, settings: TokenSettings) -> EdDsaAccessTokens {
    let store: Arc<dyn SigningKeyStore> = store.clone();
    replica(&store, settings, &Arc::default()).await
}

pub(super) async fn tokens() -> EdDsaAccessTokens {
    tokens_over(&Arc::default(), TokenSettings::default()).await
}
