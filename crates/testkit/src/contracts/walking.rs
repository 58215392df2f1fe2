//! Cursor paging through lists.
#![expect(clippy::panic, reason = "a broken promise is a panic")]

use devskyy_application::paging::{Beyond, KeysetRequest, PageOf, Part};

/// Number of requests after which a walk counts as endless.
const ENDLESS: usize = 1_000;

/// Reads a whole list in pages of that length, with an action between two pages.
pub(super) async fn walk<T>(
    limit: u64,
    mut list: impl AsyncFnMut(Part) -> PageOf<T>,
    mut between: impl AsyncFnMut(&[T]),
) -> Vec<T> {
    let (mut told, mut after) = (Vec::new(), None);
    for _ in 0..ENDLESS {
        let PageOf { items, beyond } = list(Part::Keyset(KeysetRequest { after, limit })).await;
        assert!(items.len() as u64 <= limit, "a stretch is longer than was asked for");
        told.extend(items);
        let Beyond::Next(next) = beyond else { panic!("a stretch counted the list") };
        let Some(next) = next else { return told };
        after = Some(next);
        between(&told).await;
    }
    panic!("the walk does not end")
}

/// Asserts that pages of every length return the same as one page.
pub(super) async fn is_walked_once<T: PartialEq + std::fmt::Debug>(mut list: impl AsyncFnMut(Part) -> PageOf<T>) {
    let all = list(Part::default()).await.items;
    assert!(all.len() > 2, "too few to walk through");
    for limit in 1..=all.len() as u64 + 1 {
        assert_eq!(walk(limit, &mut list, async |_: &[T]| ()).await, all, "in stretches of {limit}");
    }
}

/// Asserts that a walk returned everything that existed throughout, and nothing twice.
#[track_caller]
pub(super) fn tells_once<T: PartialEq + std::fmt::Debug>(told: &[T], throughout: &[T]) {
    let times = |item: &T| told.iter().filter(|it| *it == item).count();
    let hidden: Vec<_> = throughout.iter().filter(|item| times(item) == 0).collect();
    let repeated: Vec<_> = told.iter().filter(|item| times(item) > 1).collect();
    assert!(hidden.is_empty() && repeated.is_empty(), "hidden: {hidden:?}, repeated: {repeated:?}");
}
