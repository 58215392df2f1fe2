use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::ports::Clock;
use devskyy_testkit::fakes::FixedClock;

/// Shorter pauses than this pass by themselves.
const NAP: Duration = Duration::from_secs(1);

/// A clock that stands still until a test moves it, but still sleeps for short pauses.
pub(crate) struct Naps(pub(crate) Arc<FixedClock>);

#[async_trait]
impl Clock for Naps {
    fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        if duration < NAP {
            tokio::time::sleep(duration).await;
        } else {
            self.0.sleep(duration).await;
        }
    }
}
