use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Remembers what was compiled from texts, the most recently used ones only.
pub(super) struct Cache<T> {
    entries: Mutex<Entries<T>>,
    most: usize,
}

struct Entries<T> {
    by_text: HashMap<String, (Arc<T>, u64)>,
    uses: u64,
}

impl<T> Cache<T> {
    /// A cache of at most so many entries.
    pub(super) fn new(most: usize) -> Self {
        Self { entries: Mutex::new(Entries { by_text: HashMap::new(), uses: 0 }), most }
    }

    /// Finds what a text was compiled to, or compiles it now.
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
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.by_text.len() >= self.most {
            let oldest = entries.by_text.iter().min_by_key(|(_, (_, used))| *used).map(|(text, _)| text.clone());
            oldest.and_then(|oldest| entries.by_text.remove(&oldest));
        }
        let now = entries.uses;
        entries.by_text.insert(text.to_owned(), (compiled.clone(), now));
    }
}
