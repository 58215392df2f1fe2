use std::{
    borrow::Borrow,
    collections::{HashMap, VecDeque},
    hash::Hash,
};

/// A cache of bounded size, first in, first out: when it is full, each new entry evicts the oldest one.
#[derive(Debug)]
pub(crate) struct BoundedCache<K, V> {
    known: HashMap<K, V>,
    /// Keys in order of insertion; removed ones keep their place until they would be evicted.
    order: VecDeque<K>,
    most: usize,
}

impl<K: Hash + Eq + Clone, V> BoundedCache<K, V> {
    /// A cache of at most `most` entries.
    pub(crate) fn of(most: usize) -> Self {
        Self { known: HashMap::new(), order: VecDeque::new(), most }
    }

    /// The value of a key, if it is cached.
    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.known.get(key)
    }

    /// Caches a value, in place of the one the key had.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        if let Some(known) = self.known.get_mut(&key) {
            *known = value;
            return;
        }
        while self.order.len() >= self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.known.insert(key, value);
    }

    /// Removes a key.
    pub(crate) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.known.remove(key);
    }

    /// Keeps only the keys that pass.
    pub(crate) fn retain(&mut self, mut passes: impl FnMut(&K) -> bool) {
        self.known.retain(|key, _| passes(key));
    }

    /// Removes all entries.
    pub(crate) fn clear(&mut self) {
        self.known.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::BoundedCache;

    fn full() -> BoundedCache<u32, u32> {
        let mut cache = BoundedCache::of(3);
        (0..3).for_each(|n| cache.insert(n, n));
        cache
    }

    #[test]
    fn one_more_than_fits_costs_the_oldest_alone() {
        let mut cache = full();
        cache.insert(3, 3);
        assert_eq!([0, 1, 2, 3].map(|n| cache.get(&n).copied()), [None, Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn what_is_known_already_costs_nobody_their_place() {
        let mut cache = full();
        cache.insert(0, 7);
        assert_eq!([0, 1, 2].map(|n| cache.get(&n).copied()), [Some(7), Some(1), Some(2)]);
    }

    #[test]
    fn coming_and_going_does_not_fill_the_cache() {
        let mut cache = full();
        for _ in 0..1_000 {
            cache.remove(&2);
            cache.insert(2, 2);
        }
        assert!(cache.order.len() <= 3 && cache.known.len() <= 3);
    }

    #[test]
    fn what_was_forgotten_is_not_known() {
        let mut cache = full();
        cache.retain(|n| *n != 1);
        cache.remove(&2);
        assert_eq!([0, 1, 2].map(|n| cache.get(&n).copied()), [Some(0), None, None]);
    }
}
