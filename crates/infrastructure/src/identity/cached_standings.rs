use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{error::PortError, identity::Standings};
use devskyy_domain::{
    identity::PlatformRole,
    kernel::ids::{SessionId, UserId},
};

use crate::bounded_cache::BoundedCache;

/// Capacity of the cache.
const CAPACITY: usize = 16_384;

/// Caches valid sessions for two seconds, so that a busy client does not cost a query per request.
pub struct CachedStandings {
    behind: Arc<dyn Standings>,
    remembered: Mutex<BoundedCache<SessionId, Answer>>,
}

#[derive(Clone, Copy)]
struct Answer {
    user: UserId,
    role: PlatformRole,
    asked_at: DateTime<Utc>,
}

impl CachedStandings {
    /// How long an answer is cached: well below the five seconds within which an ended session must become invalid.
    pub const REMEMBERED: TimeDelta = TimeDelta::seconds(2);

    /// Puts a cache in front of an adapter.
    #[must_use]
    pub fn new(behind: Arc<dyn Standings>) -> Self {
        Self { behind, remembered: Mutex::new(BoundedCache::of(CAPACITY)) }
    }

    fn remembered(&self) -> MutexGuard<'_, BoundedCache<SessionId, Answer>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recall(&self, user: UserId, session: SessionId, now: DateTime<Utc>) -> Option<PlatformRole> {
        let answer = *self.remembered().get(&session)?;
        (answer.user == user && is_fresh(answer, now)).then_some(answer.role)
    }
}

fn is_fresh(answer: Answer, now: DateTime<Utc>) -> bool {
    let age = now - answer.asked_at;
    age >= TimeDelta::zero() && age < CachedStandings::REMEMBERED
}

#[async_trait]
impl Standings for CachedStandings {
    async fn of(
        &self,
        user: UserId,
        session: SessionId,
        now: DateTime<Utc>,
    ) -> Result<Option<PlatformRole>, PortError> {
        if let Some(role) = self.recall(user, session, now) {
            return Ok(Some(role));
        }
        let role = self.behind.of(user, session, now).await?;
        if let Some(role) = role {
            self.remembered().insert(session, Answer { user, role, asked_at: now });
        }
        Ok(role)
    }

    fn forget(&self, session: SessionId) {
        self.remembered().remove(&session);
        self.behind.forget(session);
    }
}
