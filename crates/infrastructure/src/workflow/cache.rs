use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// A cache of compiled texts that evicts the least recently used ones.
pub(super) struct Cache<T> {
    entries: Mutex<Entries<T>>,
    most: usize,
    weigh: fn(&T) -> usize,
}

struct Entries<T> {
    by_text: HashMap<String, (Arc<T>, u64)>,
    uses: u64,
    weight: usize,
}

impl<T> Cache<T> {
    /// A cache of at most `most` entries.
    pub(super) fn new(most: usize) -> Self {
        Self::weighing(most, |_| 1)
    }

    /// A cache of entries with a total weight of at most `most`.
    pub(super) fn weighing(most: usize, weigh: fn(&T) -> usize) -> Self {
        Self { entries: Mutex::new(Entries { by_text: HashMap::new(), uses: 0, weight: 0 }), most, weigh }
    }

    /// Returns the cached result of compiling a text, or compiles it now.
    pub(super) fn get<E>(&self, text: &str, compile: impl FnOnce(&str) -> Result<T, E>) -> Result<Arc<T>, E> {
        if let Some(known) = self.find(text) {
            return Ok(known);
        }
        let compiled = Arc::new(compile(text)?);
        self.keep(text, &compiled);
        Ok(compiled)
    }

    fn find(&self, text: &str) -> Option<Arc<T>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.uses += 1;
        let now = entries.uses;
        let (found, used) = entries.by_text.get_mut(text)?;
        *used = now;
        Some(found.clone())
    }

    fn keep(&self, text: &str, compiled: &Arc<T>) {
        let weight = (self.weigh)(compiled);
        if weight > self.most {
            return;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        while entries.weight + weight > self.most {
            let oldest = entries.by_text.iter().min_by_key(|(_, (_, used))| *used).map(|(text, _)| text.clone());
            let Some((forgotten, _)) = oldest.and_then(|oldest| entries.by_text.remove(&oldest)) else { break };
            entries.weight -= (self.weigh)(&forgotten);
        }
        let now = entries.uses;
        if let Some((replaced, _)) = entries.by_text.insert(text.to_owned(), (compiled.clone(), now)) {
            entries.weight -= (self.weigh)(&replaced);
        }
        entries.weight += weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_is_forgotten_when_all_together_would_weigh_too_much() {
        let cache = Cache::weighing(10, |weight: &usize| *weight);
        for (text, weight) in [("a", 4), ("b", 4), ("a", 4), ("c", 6)] {
            _ = cache.get(text, |_| Ok::<_, ()>(weight));
        }
        let known = ["a", "b", "c"].map(|text| cache.find(text).is_some());
        assert_eq!(known, [true, false, true]);
    }

    #[test]
    fn what_weighs_too_much_alone_is_not_kept() {
        let cache = Cache::weighing(10, |weight: &usize| *weight);
        _ = cache.get("a", |_| Ok::<_, ()>(11));
        assert!(cache.find("a").is_none());
    }
}
