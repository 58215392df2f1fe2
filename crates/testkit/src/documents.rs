//! Pages that are written by the program, and kept in `docs` for people.

use std::{fs, path::PathBuf};

/// Says that pages are to be written anew.
const VARIABLE: &str = "UPDATE_DOCS";

/// Asserts that a page, named from the root of the repository, is what the code says now. With `UPDATE_DOCS=1` it is written
/// anew instead. Tests that ask this have `is_current` in their names, so that one command writes all pages:
/// `UPDATE_DOCS=1 cargo test --workspace --test all --test journeys is_current`.
///
/// # Panics
/// When the page is stale, or cannot be written.
#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says whether pages are written anew")]
pub fn assert_current(page: &str, told: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(page);
    if std::env::var(VARIABLE).is_ok_and(|value| value == "1") {
        let written = fs::write(&path, told);
        assert!(written.is_ok(), "{page} cannot be written: {written:?}");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == told, "{page} is stale; CONTRIBUTING.md says how pages are written anew");
}
