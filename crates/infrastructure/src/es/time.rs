//! The time of events.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::ports::Clock;

/// Difference between two clocks above which a warning is logged.
const TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// Determines the time of events and warns about clock skew.
pub(super) struct Time {
    clock: Arc<dyn Clock>,
    of_database: bool,
    behind_log: Warned,
    out_of_step: Warned,
}

impl Time {
    /// Uses a clock.
    pub(super) fn of(clock: Arc<dyn Clock>) -> Self {
        Self { clock, of_database: false, behind_log: Warned::default(), out_of_step: Warned::default() }
    }

    /// Uses the database's time if several processes share it, because their clocks may differ, and else the clock's.
    pub(super) fn of_database(self, shared: bool) -> Self {
        Self { of_database: shared, ..self }
    }

    /// Whether the database's time is needed.
    pub(super) const fn is_of_database(&self) -> bool {
        self.of_database
    }

    /// The time of an event after one with time `newest`. The log's time never goes back: events after one from the
    /// future get its time until that time has come.
    pub(super) fn now(&self, database: Option<DateTime<Utc>>, newest: DateTime<Utc>) -> DateTime<Utc> {
        let ours = self.clock.now();
        let now = database.unwrap_or(ours);
        let off = ours - now;
        if self.out_of_step.newly(off.abs()) {
            let off = off.num_seconds();
            tracing::warn!(off, "this machine's clock is seconds off the database's, whose time events bear");
        }
        let ahead = newest - now;
        if self.behind_log.newly(ahead) {
            let ahead = ahead.num_seconds();
            tracing::error!(
                ahead,
                "the newest event bears a time seconds in the future, and so will all that follow until then"
            );
        }
        now
    }
}

/// Remembers that a difference was reported, until it is gone.
#[derive(Default)]
struct Warned(AtomicBool);

impl Warned {
    /// Whether a difference is too large and was not the last time.
    fn newly(&self, difference: TimeDelta) -> bool {
        let large = difference > TOLERANCE;
        !self.0.swap(large, Ordering::Relaxed) && large
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::Warned;

    #[test]
    fn a_difference_is_told_once_until_it_is_over() {
        let warned = Warned::default();
        let told = [1, 60, 60, 1, 60].map(|seconds| warned.newly(TimeDelta::seconds(seconds)));
        assert_eq!(told, [false, true, false, false, true]);
    }
}
