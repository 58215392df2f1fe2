use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{context::KeyGrant, error::PortError, identity::KeyStandings};
use devskyy_domain::kernel::ids::ApiKeyId;

use crate::bounded_cache::BoundedCache;

/// Capacity of the cache.
const CAPACITY: usize = 16_384;

/// Caches the permissions of keys for two seconds, so that a busy client does not cost a query per request.
///
/// Entries are keyed by the secret's digest, so a wrong secret never matches a cached one.
pub struct CachedKeyStandings {
    behind: Arc<dyn KeyStandings>,
    remembered: Mutex<BoundedCache<(ApiKeyId, [u8; 32]), Answer>>,
}

#[derive(Clone)]
struct Answer {
    grant: KeyGrant,
    asked_at: DateTime<Utc>,
}

impl Answer {
    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        let age = now - self.asked_at;
        age >= TimeDelta::zero() && age < CachedKeyStandings::REMEMBERED
    }
}

impl CachedKeyStandings {
    /// How long an answer is cached: well below the five seconds within which a revoked key must become invalid.
    pub const REMEMBERED: TimeDelta = TimeDelta::seconds(2);

    /// Puts a cache in front of an adapter.
    #[must_use]
    pub fn new(behind: Arc<dyn KeyStandings>) -> Self {
        Self { behind, remembered: Mutex::new(BoundedCache::of(CAPACITY)) }
    }

    fn remembered(&self) -> MutexGuard<'_, BoundedCache<(ApiKeyId, [u8; 32]), Answer>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl KeyStandings for CachedKeyStandings {
    async fn of(&self, key: ApiKeyId, digest: &[u8; 32], now: DateTime<Utc>) -> Result<Option<KeyGrant>, PortError> {
        let recalled = self.remembered().get(&(key, *digest)).filter(|answer| answer.is_fresh(now)).cloned();
        if let Some(answer) = recalled {
            return Ok(Some(answer.grant));
        }
        let grant = self.behind.of(key, digest, now).await?;
        if let Some(grant) = grant.clone() {
            self.remembered().insert((key, *digest), Answer { grant, asked_at: now });
        }
        Ok(grant)
    }

    fn forget(&self, key: ApiKeyId) {
        self.remembered().retain(|(known, _)| *known != key);
        self.behind.forget(key);
    }
}
