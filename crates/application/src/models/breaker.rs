//! A circuit breaker: suspends a provider that keeps failing, and probes it later.
//!
//! A pure state machine: the time is passed in, and nothing waits here.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The parameters of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerHabits {
    /// Consecutive failures after which it opens.
    pub failures: u32,
    /// How long it stays open if the provider does not say; doubled with each failed probe.
    pub rest: Duration,
    /// The longest it stays open, unless the provider asks for more.
    pub longest: Duration,
}

impl Default for BreakerHabits {
    fn default() -> Self {
        Self { failures: 5, rest: Duration::from_secs(10), longest: Duration::from_secs(300) }
    }
}

/// The outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The provider works, whatever it answered.
    Works,
    /// The provider failed, possibly with a `Retry-After`.
    Fails(Option<Duration>),
    /// Unknown, because the caller went away.
    Unknown,
}

/// The permission to send a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leave {
    probe: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Requests are let through.
    Closed { failures: u32 },
    /// Requests are refused until then.
    Open { until: DateTime<Utc>, rest: Duration },
    /// One probe is in flight.
    HalfOpen { rest: Duration },
}

/// The breaker of one model of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaker {
    habits: BreakerHabits,
    state: State,
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub const fn new(habits: BreakerHabits) -> Self {
        Self { habits, state: State::Closed { failures: 0 } }
    }

    /// Lets a request through, or returns how long to wait.
    ///
    /// # Errors
    /// How long to wait; an estimate while a probe is in flight.
    pub fn enter(&mut self, now: DateTime<Utc>) -> Result<Leave, Duration> {
        match self.state {
            State::Closed { .. } => Ok(Leave { probe: false }),
            State::Open { until, .. } if until > now => Err((until - now).to_std().unwrap_or_default()),
            State::Open { rest, .. } => {
                self.state = State::HalfOpen { rest };
                Ok(Leave { probe: true })
            }
            State::HalfOpen { .. } => Err(Duration::from_secs(1)),
        }
    }

    /// Whether its state equals that of a new breaker.
    pub(super) const fn is_untroubled(&self) -> bool {
        matches!(self.state, State::Closed { failures: 0 })
    }

    /// When requests are let through again: the minimal time if closed, `None` while a probe is in flight.
    pub(super) const fn rests_until(&self) -> Option<DateTime<Utc>> {
        match self.state {
            State::Closed { .. } => Some(DateTime::<Utc>::MIN_UTC),
            State::Open { until, .. } => Some(until),
            State::HalfOpen { .. } => None,
        }
    }

    /// Records the outcome of a request. While the breaker is not closed, only the probe's outcome counts; the other
    /// requests are older.
    pub fn leave(&mut self, leave: Leave, verdict: Verdict, now: DateTime<Utc>) {
        match (self.state, verdict) {
            (State::Closed { .. }, Verdict::Works) => self.state = State::Closed { failures: 0 },
            (State::Closed { failures }, Verdict::Fails(wait)) => {
                let failures = failures.saturating_add(1);
                self.state = match wait {
                    Some(wait) => open(now, wait, self.habits.rest),
                    None if failures >= self.habits.failures => open(now, self.habits.rest, self.habits.rest),
                    None => State::Closed { failures },
                };
            }
            (State::HalfOpen { .. }, Verdict::Works) if leave.probe => self.state = State::Closed { failures: 0 },
            (State::HalfOpen { rest }, Verdict::Fails(wait)) if leave.probe => {
                let longer = rest.saturating_mul(2).min(self.habits.longest);
                self.state = open(now, wait.unwrap_or(longer), longer);
            }
            // The probe's outcome is unknown, so the next request becomes the next probe.
            (State::HalfOpen { rest }, Verdict::Unknown) if leave.probe => {
                self.state = State::Open { until: now, rest };
            }
            (State::Closed { .. }, Verdict::Unknown) | (State::Open { .. } | State::HalfOpen { .. }, _) => {}
        }
    }
}

fn open(now: DateTime<Utc>, wait: Duration, rest: Duration) -> State {
    let until = TimeDelta::from_std(wait).ok().and_then(|wait| now.checked_add_signed(wait));
    State::Open { until: until.unwrap_or(DateTime::<Utc>::MAX_UTC), rest }
}

#[cfg(test)]
mod tests {
    use super::{Breaker, BreakerHabits, DateTime, Duration, Leave, TimeDelta, Utc, Verdict};

    const HABITS: BreakerHabits =
        BreakerHabits { failures: 3, rest: Duration::from_secs(10), longest: Duration::from_secs(30) };
    const FAILS: Verdict = Verdict::Fails(None);

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    /// Sends one request per verdict at second 0.
    fn after(verdicts: &[Verdict]) -> Breaker {
        let mut breaker = Breaker::new(HABITS);
        for verdict in verdicts {
            let leave = breaker.enter(at(0)).unwrap();
            breaker.leave(leave, *verdict, at(0));
        }
        breaker
    }

    fn wait(breaker: &mut Breaker, second: i64) -> Option<u64> {
        breaker.enter(at(second)).err().map(|wait| wait.as_secs())
    }

    #[test]
    fn failures_in_a_row_open_it() {
        assert_eq!(wait(&mut after(&[FAILS, FAILS, FAILS]), 4), Some(6));
    }

    #[test]
    fn a_success_between_failures_keeps_it_closed() {
        assert_eq!(wait(&mut after(&[FAILS, FAILS, Verdict::Works, FAILS, FAILS]), 0), None);
    }

    #[test]
    fn a_provider_that_says_how_long_is_left_alone_at_once() {
        assert_eq!(wait(&mut after(&[Verdict::Fails(Some(Duration::from_secs(90)))]), 0), Some(90));
    }

    #[test]
    fn callers_who_went_away_count_for_nothing() {
        assert_eq!(wait(&mut after(&[Verdict::Unknown; 5]), 0), None);
    }

    #[test]
    fn after_its_rest_one_probe_is_let_through() {
        let mut breaker = after(&[FAILS; 3]);
        assert_eq!((breaker.enter(at(10)), wait(&mut breaker, 10)), (Ok(Leave { probe: true }), Some(1)));
    }

    #[test]
    fn a_probe_that_works_closes_it() {
        let mut breaker = after(&[FAILS; 3]);
        let probe = breaker.enter(at(10)).unwrap();
        breaker.leave(probe, Verdict::Works, at(11));
        assert_eq!(wait(&mut breaker, 11), None);
    }

    #[test]
    fn probes_that_fail_open_it_for_longer_each_time_up_to_a_limit() {
        let (mut breaker, mut now, mut waits) = (after(&[FAILS; 3]), 10, vec![]);
        for _ in 0..3 {
            let probe = breaker.enter(at(now)).unwrap();
            breaker.leave(probe, FAILS, at(now));
            waits.push(wait(&mut breaker, now).unwrap());
            now += 30;
        }
        assert_eq!(waits, [20, 30, 30]);
    }

    #[test]
    fn a_probe_nobody_saw_the_end_of_makes_room_for_another() {
        let mut breaker = after(&[FAILS; 3]);
        let probe = breaker.enter(at(10)).unwrap();
        breaker.leave(probe, Verdict::Unknown, at(10));
        assert_eq!(breaker.enter(at(10)), Ok(Leave { probe: true }));
    }

    #[test]
    fn an_answer_that_left_before_does_not_close_it() {
        let mut breaker = Breaker::new(HABITS);
        let early = breaker.enter(at(0)).unwrap();
        for _ in 0..3 {
            let leave = breaker.enter(at(0)).unwrap();
            breaker.leave(leave, FAILS, at(0));
        }
        breaker.leave(early, Verdict::Works, at(1));
        assert_eq!(wait(&mut breaker, 1), Some(9));
    }
}
