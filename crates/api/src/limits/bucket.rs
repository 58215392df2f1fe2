/// How many requests are allowed in which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    /// Requests.
    pub(super) amount: u32,
    /// Microseconds in which that many are granted anew.
    pub(super) window: i64,
}

/// The decision on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It fits.
    Granted {
        /// How many more would be granted now.
        remaining: u32,
        /// Microseconds until the bucket is full again.
        full_in: i64,
        /// When the bucket will be full again, in microseconds: all there is to store.
        full_at: i64,
    },
    /// It exceeds the limit.
    Refused {
        /// Microseconds until one more is granted.
        wait: i64,
    },
}

impl Quota {
    /// Microseconds after which one more request is granted.
    const fn interval(self) -> i64 {
        let amount = if self.amount == 0 { 1 } else { self.amount as i64 };
        let interval = self.window / amount;
        if interval == 0 { 1 } else { interval }
    }

    /// Decides on a request, given the instant at which the bucket would be full again without it.
    ///
    /// If the clock is set back, no caller waits longer than with an empty bucket.
    pub(super) fn decide(self, full_at: i64, now: i64) -> Verdict {
        let full_at = full_at.clamp(now, now.saturating_add(self.window)).saturating_add(self.interval());
        let full_in = full_at - now;
        if full_in > self.window {
            return Verdict::Refused { wait: full_in - self.window };
        }
        let remaining = u32::try_from((self.window - full_in) / self.interval()).unwrap_or(u32::MAX);
        Verdict::Granted { remaining, full_in, full_at }
    }
}

#[cfg(test)]
mod tests {
    use super::{Quota, Verdict};

    const QUOTA: Quota = Quota { amount: 3, window: 3_000_000 };

    /// Grants until the first refusal, at one instant; returns how many were granted and the last state.
    fn drain(mut full_at: i64, now: i64) -> (usize, i64) {
        for granted in 0.. {
            match QUOTA.decide(full_at, now) {
                Verdict::Granted { full_at: later, .. } => full_at = later,
                Verdict::Refused { .. } => return (granted, full_at),
            }
        }
        unreachable!("a bucket has a bottom")
    }

    #[test]
    fn a_full_bucket_grants_its_amount_at_once() {
        assert_eq!(drain(0, 10_000_000).0, 3);
    }

    #[test]
    fn an_empty_bucket_says_when_one_more_fits() {
        let (_, full_at) = drain(0, 10_000_000);
        assert_eq!(QUOTA.decide(full_at, 10_250_000), Verdict::Refused { wait: 750_000 });
    }

    #[test]
    fn it_fills_one_request_at_a_time() {
        let (_, full_at) = drain(0, 10_000_000);
        assert_eq!(drain(full_at, 11_000_000).0, 1);
    }

    #[test]
    fn it_never_holds_more_than_its_amount() {
        let (_, full_at) = drain(0, 10_000_000);
        assert_eq!(drain(full_at, 99_000_000).0, 3);
    }

    #[test]
    fn it_counts_what_is_left() {
        assert!(matches!(QUOTA.decide(0, 10_000_000), Verdict::Granted { remaining: 2, full_in: 1_000_000, .. }));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait_longer_than_an_empty_bucket() {
        assert_eq!(QUOTA.decide(99_000_000, 10_000_000), Verdict::Refused { wait: 1_000_000 });
    }
}
