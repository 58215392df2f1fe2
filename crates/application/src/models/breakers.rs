//! The breakers of a process, in bounded number.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};

use super::breaker::{Breaker, BreakerHabits, Leave, Verdict};

/// Limit of stored breakers. A user who may configure a provider can name any number of models.
const REMEMBERED: usize = 10_000;

/// A model of a provider: the route's id, and the provider's name of the model.
pub(super) type BreakerKey = (String, String);

/// One breaker for each failing model. Those in their initial state are not stored.
#[derive(Debug)]
pub(super) struct Breakers {
    habits: BreakerHabits,
    most: usize,
    troubled: Mutex<HashMap<BreakerKey, Breaker>>,
}

impl Breakers {
    pub(super) fn new(habits: BreakerHabits) -> Self {
        Self { habits, most: REMEMBERED, troubled: Mutex::default() }
    }

    /// Lets a request through, or returns how long to wait.
    pub(super) fn enter(&self, key: &BreakerKey, now: DateTime<Utc>) -> Result<Leave, Duration> {
        match self.troubled().get_mut(key) {
            Some(breaker) => breaker.enter(now),
            None => Breaker::new(self.habits).enter(now),
        }
    }

    /// Records the outcome of a request.
    pub(super) fn leave(&self, key: &BreakerKey, leave: Leave, verdict: Verdict, now: DateTime<Utc>) {
        let mut troubled = self.troubled();
        let mut breaker = troubled.remove(key).unwrap_or_else(|| Breaker::new(self.habits));
        breaker.leave(leave, verdict, now);
        if breaker.is_untroubled() {
            return;
        }
        if troubled.len() >= self.most {
            make_room(&mut troubled);
        }
        troubled.insert(key.clone(), breaker);
    }

    fn troubled(&self) -> MutexGuard<'_, HashMap<BreakerKey, Breaker>> {
        self.troubled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops the breaker that would let requests through soonest; it matters least. Those with a probe in flight stay.
fn make_room(troubled: &mut HashMap<BreakerKey, Breaker>) {
    let resting = troubled.iter().filter_map(|(key, breaker)| Some((breaker.rests_until()?, key)));
    if let Some(soonest) = resting.min().map(|(_, key)| key.clone()) {
        troubled.remove(&soonest);
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::{BreakerHabits, BreakerKey, Breakers, DateTime, Duration, Utc, Verdict};

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn model(n: u64) -> BreakerKey {
        ("provider".to_owned(), n.to_string())
    }

    fn three() -> Breakers {
        Breakers { most: 3, ..Breakers::new(BreakerHabits { failures: 2, ..BreakerHabits::default() }) }
    }

    fn asked(breakers: &Breakers, n: u64, verdict: Verdict) {
        let leave = breakers.enter(&model(n), at(0)).unwrap();
        breakers.leave(&model(n), leave, verdict, at(0));
    }

    fn resting(seconds: u64) -> Verdict {
        Verdict::Fails(Some(Duration::from_secs(seconds)))
    }

    fn remembered(breakers: &Breakers) -> Vec<String> {
        let mut models: Vec<_> = breakers.troubled().keys().map(|(_, model)| model.clone()).collect();
        models.sort();
        models
    }

    #[test]
    fn models_that_work_are_not_remembered() {
        let breakers = three();
        (0..50).for_each(|n| asked(&breakers, n, Verdict::Works));
        assert_eq!(remembered(&breakers), Vec::<String>::new());
    }

    #[test]
    fn a_model_that_works_again_is_forgotten() {
        let breakers = three();
        asked(&breakers, 1, Verdict::Fails(None));
        asked(&breakers, 1, Verdict::Works);
        assert_eq!(remembered(&breakers), Vec::<String>::new());
    }

    #[test]
    fn failures_in_a_row_are_counted_from_question_to_question() {
        let breakers = three();
        asked(&breakers, 1, Verdict::Fails(None));
        asked(&breakers, 1, Verdict::Fails(None));
        assert_eq!(breakers.enter(&model(1), at(0)), Err(Duration::from_secs(10)));
    }

    #[test]
    fn of_too_many_those_that_rest_longest_are_remembered() {
        let breakers = three();
        for n in [30, 10, 40, 20, 50] {
            asked(&breakers, n, resting(n));
        }
        assert_eq!(remembered(&breakers), ["30", "40", "50"]);
    }

    #[test]
    fn a_model_with_single_failures_makes_room_first() {
        let breakers = three();
        asked(&breakers, 1, resting(30));
        asked(&breakers, 2, Verdict::Fails(None));
        asked(&breakers, 3, resting(20));
        asked(&breakers, 4, resting(10));
        assert_eq!(remembered(&breakers), ["1", "3", "4"]);
    }

    #[test]
    fn a_probe_under_way_is_not_forgotten() {
        let breakers = three();
        asked(&breakers, 1, resting(0));
        breakers.enter(&model(1), at(0)).unwrap();
        (2..6).for_each(|n| asked(&breakers, n, resting(10 * n)));
        assert_eq!(breakers.enter(&model(1), at(0)), Err(Duration::from_secs(1)));
    }
}
