//! When something is recorded.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::ports::Clock;

/// How far two clocks may differ before it is worth a warning.
const TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// Tells when something is recorded, and warns where clocks disagree.
pub(super) struct Time {
    clock: Arc<dyn Clock>,
    of_database: bool,
    behind_log: Warned,
    out_of_step: Warned,
}

impl Time {
    /// The time of a clock.
    pub(super) fn of(clock: Arc<dyn Clock>) -> Self {
        Self { clock, of_database: false, behind_log: Warned::default(), out_of_step: Warned::default() }
    }

    /// The time of the database where several processes share it, whose clocks may differ, and else of a clock.
    pub(super) fn of_database(self, shared: bool) -> Self {
        Self { of_database: shared, ..self }
    }

    /// Whether the database has to be asked.
    pub(super) const fn is_of_database(&self) -> bool {
        self.of_database
    }

    /// When something is recorded behind an event of that time. The log's time never goes back: an event of the future
    /// gives its time to all that follow, until the future is there.
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

/// Remembers a disagreement that was told, until it is over.
#[derive(Default)]
struct Warned(AtomicBool);

impl Warned {
    /// Whether a difference is too large, and was not the last time.
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
