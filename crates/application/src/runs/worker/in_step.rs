use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::ports::Clock;

/// A clock that is set forward by a fixed amount.
struct SetForward {
    clock: Arc<dyn Clock>,
    by: TimeDelta,
}

/// The clock of a run that was claimed at an instant of the queue's clock; it is never behind that instant.
///
/// The queue's clock decides when a parked run is due. If the worker's clock were behind, nothing would be due yet: the
/// run would be parked until the same instant, claimed and parked again.
pub(super) fn in_step(clock: &Arc<dyn Clock>, claimed: DateTime<Utc>) -> Arc<dyn Clock> {
    let by = claimed - clock.now();
    if by <= TimeDelta::zero() {
        return Arc::clone(clock);
    }
    Arc::new(SetForward { clock: Arc::clone(clock), by })
}

#[async_trait]
impl Clock for SetForward {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now() + self.by
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }
}
