//! The system's clock and random ids.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound as _, Utc};
use devskyy_application::ports::{Clock, IdGenerator};
use uuid::Uuid;

/// The system clock, truncated to microseconds, the resolution of both databases.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter everybody else asks")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Generates UUIDs of version 7, in order within this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl IdGenerator for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter everybody else asks")]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}
