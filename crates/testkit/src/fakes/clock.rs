use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use devskyy_application::ports::Clock;
use tokio::sync::watch;

/// A clock that only moves when a test advances it. Sleepers wake when it passes their time.
#[derive(Debug)]
pub struct FixedClock(watch::Sender<DateTime<Utc>>);

impl FixedClock {
    /// A clock at an instant.
    #[must_use]
    pub fn at(instant: DateTime<Utc>) -> Self {
        Self(watch::Sender::new(instant.trunc_subsecs(6)))
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        let step = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        self.0.send_modify(|now| *now = now.checked_add_signed(step).unwrap_or(DateTime::<Utc>::MAX_UTC));
    }
}

impl Default for FixedClock {
    /// A clock at noon of 2026-01-01.
    fn default() -> Self {
        Self::at(DateTime::from_timestamp(1_767_268_800, 0).unwrap_or_default())
    }
}

#[async_trait]
impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.borrow()
    }

    async fn sleep(&self, duration: Duration) {
        let step = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        let until = self.now().checked_add_signed(step).unwrap_or(DateTime::<Utc>::MAX_UTC);
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|now| *now >= until).await;
    }
}
