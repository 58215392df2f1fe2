//! Common passwords: frequent words with usual suffixes, keyboard walks, teams, names.

/// One per line, in lower case.
const COMMON: &str = include_str!("common_passwords.txt");

/// Whether a lower-cased password is on the list, as it is or without trailing punctuation.
pub(super) fn is_common(lower: &str) -> bool {
    let bare = lower.trim_end_matches(['!', '.', '?', '*', '#']);
    [lower, bare].iter().any(|candidate| COMMON.lines().any(|word| word == *candidate))
}

#[cfg(test)]
mod tests {
    use super::COMMON;

    #[test]
    fn the_list_is_sorted_without_repetition_and_in_lower_case() {
        assert!(COMMON.lines().is_sorted_by(|a, b| a < b) && COMMON.lines().all(|word| word == word.to_lowercase()));
    }
}
