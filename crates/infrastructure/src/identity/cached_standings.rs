use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{error::PortError, identity::Standings};
use devskyy_domain::{
    identity::PlatformRole,
    kernel::ids::{SessionId, UserId},
};

use crate::bounded_cache::BoundedCache;

/// Most answers remembered at once.
const CAPACITY: usize = 16_384;

/// Remembers for two seconds that a sign-in counts, so that a busy client costs no query per request.
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
    /// How long an answer is remembered: well inside the five seconds within which an ended sign-in must bite.
    pub const REMEMBERED: TimeDelta = TimeDelta::seconds(2);

    /// A short memory in front of the real answers.
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
