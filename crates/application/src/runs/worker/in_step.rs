use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::ports::Clock;

/// A clock that is behind another one, set forward.
struct SetForward {
    clock: Arc<dyn Clock>,
    by: TimeDelta,
}

/// The clock a run is carried out by that was claimed at an instant of the queue's clock: never behind that one.
///
/// The queue's clock says when a parked run is due. By one that is behind it nothing would be due yet, and the run would be
/// parked until the same instant, and claimed, and parked again.
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
