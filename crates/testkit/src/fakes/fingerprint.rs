use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Rows beside the log, of which a test wants to know whether anything has changed.
pub trait Fingerprint {
    /// A number that is another one once a row has come, gone or changed.
    fn fingerprint(&self) -> u64;
}

/// Of rows in any order, each as a text that tells all of it.
pub(super) fn of_rows(rows: impl Iterator<Item = String>) -> u64 {
    let mut rows: Vec<String> = rows.collect();
    rows.sort_unstable();
    let mut hasher = DefaultHasher::new();
    rows.hash(&mut hasher);
    hasher.finish()
}
