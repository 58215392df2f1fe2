use std::{
    borrow::Borrow,
    collections::{HashMap, VecDeque},
    hash::Hash,
};

/// A bounded memory. Where it is full, what came in longest ago makes room, one for one: nothing is searched, and what others
/// are about to ask for stays.
#[derive(Debug)]
pub(crate) struct Remembered<K, V> {
    known: HashMap<K, V>,
    /// In the order they came in; what was forgotten since keeps its place until its turn.
    order: VecDeque<K>,
    most: usize,
}

impl<K: Hash + Eq + Clone, V> Remembered<K, V> {
    /// A memory of at most so many things.
    pub(crate) fn of(most: usize) -> Self {
        Self { known: HashMap::new(), order: VecDeque::new(), most }
    }

    /// What is remembered of a key.
    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.known.get(key)
    }

    /// Remembers something, in the place of what was known of the key.
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

    /// Forgets one thing.
    pub(crate) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.known.remove(key);
    }

    /// Forgets what does not pass.
    pub(crate) fn retain(&mut self, mut passes: impl FnMut(&K) -> bool) {
        self.known.retain(|key, _| passes(key));
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.known.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Remembered;

    fn full() -> Remembered<u32, u32> {
        let mut memory = Remembered::of(3);
        (0..3).for_each(|n| memory.insert(n, n));
        memory
    }

    #[test]
    fn one_more_than_fits_costs_the_oldest_alone() {
        let mut memory = full();
        memory.insert(3, 3);
        assert_eq!([0, 1, 2, 3].map(|n| memory.get(&n).copied()), [None, Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn what_is_known_already_costs_nobody_their_place() {
        let mut memory = full();
        memory.insert(0, 7);
        assert_eq!([0, 1, 2].map(|n| memory.get(&n).copied()), [Some(7), Some(1), Some(2)]);
    }

    #[test]
    fn coming_and_going_does_not_fill_the_memory() {
        let mut memory = full();
        for _ in 0..1_000 {
            memory.remove(&2);
            memory.insert(2, 2);
        }
        assert!(memory.order.len() <= 3 && memory.known.len() <= 3);
    }

    #[test]
    fn what_was_forgotten_is_not_known() {
        let mut memory = full();
        memory.retain(|n| *n != 1);
        memory.remove(&2);
        assert_eq!([0, 1, 2].map(|n| memory.get(&n).copied()), [Some(0), None, None]);
    }
}
