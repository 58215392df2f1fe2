use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Rows next to the log whose changes a test wants to detect.
pub trait Fingerprint {
    /// A number that changes when a row is added, removed or changed.
    fn fingerprint(&self) -> u64;
}

/// The fingerprint of rows in any order, each as a complete text.
pub(super) fn of_rows(rows: impl Iterator<Item = String>) -> u64 {
    let mut rows: Vec<String> = rows.collect();
    rows.sort_unstable();
    let mut hasher = DefaultHasher::new();
    rows.hash(&mut hasher);
    hasher.finish()
}
