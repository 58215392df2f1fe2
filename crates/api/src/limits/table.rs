use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::bucket::{Quota, Verdict};

/// Parts with a lock of their own, so that callers rarely contend.
const PARTS: usize = 64;

/// The stored state of callers: for each the instant at which its bucket is full again.
#[derive(Debug)]
pub(super) struct Table<K> {
    parts: Vec<Mutex<HashMap<K, i64>>>,
    hasher: RandomState,
    most_per_part: usize,
}

impl<K: std::hash::Hash + Eq + Copy> Table<K> {
    /// A table of about so many callers at most.
    pub(super) fn of(most: usize) -> Self {
        let parts = (0..PARTS).map(|_| Mutex::default()).collect();
        Self { parts, hasher: RandomState::new(), most_per_part: most.div_ceil(PARTS) }
    }

    /// Counts a request of a caller.
    pub(super) fn count(&self, key: K, quota: Quota, now: i64) -> Verdict {
        let mut part = self.part(key);
        let verdict = quota.decide(part.get(&key).copied().unwrap_or(i64::MIN), now);
        if let Verdict::Granted { full_at, .. } = verdict {
            if part.len() >= self.most_per_part && !part.contains_key(&key) {
                make_room(&mut part, now);
            }
            part.insert(key, full_at);
        }
        verdict
    }

    /// The decision on a request of a caller, without counting it.
    pub(super) fn foresee(&self, key: K, quota: Quota, now: i64) -> Verdict {
        quota.decide(self.part(key).get(&key).copied().unwrap_or(i64::MIN), now)
    }

    /// Whether a caller is in the table.
    pub(super) fn knows(&self, key: K) -> bool {
        self.part(key).contains_key(&key)
    }

    fn part(&self, key: K) -> MutexGuard<'_, HashMap<K, i64>> {
        let hash = usize::try_from(self.hasher.hash_one(key) % PARTS as u64).unwrap_or_default();
        self.parts[hash].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Callers in the table.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }
}

/// Removes callers whose bucket is full, as they have no state; if there are none, the one whose will be full first.
fn make_room<K: std::hash::Hash + Eq + Copy>(part: &mut HashMap<K, i64>, now: i64) {
    let before = part.len();
    part.retain(|_, full_at| *full_at > now);
    if part.len() == before
        && let Some(key) = part.iter().min_by_key(|(_, full_at)| **full_at).map(|(key, _)| *key)
    {
        part.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::{PARTS, Quota, Table, Verdict};

    const QUOTA: Quota = Quota { amount: 2, window: 1_000_000 };

    #[test]
    fn callers_do_not_share_a_bucket() {
        let table = Table::of(1_000);
        for _ in 0..3 {
            table.count(1_u128, QUOTA, 0);
        }
        assert!(matches!(table.count(2, QUOTA, 0), Verdict::Granted { remaining: 1, .. }));
    }

    #[test]
    fn a_flood_of_callers_does_not_fill_the_memory() {
        let table = Table::of(PARTS * 4);
        for caller in 0..100_000_u128 {
            table.count(caller, QUOTA, 0);
        }
        assert!(table.len() <= PARTS * 4, "{}", table.len());
    }

    #[test]
    fn whoever_asks_much_is_remembered_in_a_flood() {
        let table = Table::of(PARTS * 4);
        for _ in 0..2 {
            table.count(u128::MAX, QUOTA, 0);
        }
        for caller in 0..100_000_u128 {
            table.count(caller, QUOTA, 0);
        }
        assert!(matches!(table.count(u128::MAX, QUOTA, 0), Verdict::Refused { .. }));
    }

    #[test]
    fn parallel_requests_are_each_counted() {
        let table = Table::of(1_000);
        let quota = Quota { amount: 100, window: 1_000_000 };
        let granted = || (0..50).filter(|_| matches!(table.count(1_u8, quota, 0), Verdict::Granted { .. })).count();
        let total: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(granted)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(total, 100);
    }
}
