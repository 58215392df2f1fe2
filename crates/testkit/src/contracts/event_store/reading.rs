#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

use std::time::Duration;

use devskyy_application::es::{EventFilter, PAGE_BYTES, Page, RecordedEvent, Rewindable, goes_on};

use super::{
    LogUnderTest,
    requests::{Request, lamp, stream, text_of},
};

/// The pages of a stream have no overlap and no gap.
pub async fn a_stream_is_read_in_pages(log: &mut dyn LogUnderTest) {
    let store = log.store();
    for note in ["a", "b", "c", "d", "e"] {
        Request::to(lamp(1), &[note]).ask(&*store).await.unwrap();
        Request::to(lamp(2), &["other"]).ask(&*store).await.unwrap();
    }
    let mut notes = Vec::new();
    for after in [0, 2, 4] {
        let page = store.read_stream(lamp(1), after, 2).await.unwrap();
        notes.extend(page.iter().map(|event| text_of(event).to_owned()));
    }
    assert_eq!(notes, ["a", "b", "c", "d", "e"]);
    assert_eq!(store.read_stream(lamp(1), 5, 2).await.unwrap(), []);
}

/// The pages of the log have no overlap and no gap.
pub async fn the_log_is_read_in_pages(log: &mut dyn LogUnderTest) {
    let store = log.store();
    Request::to(lamp(1), &["a", "b", "c", "d", "e", "f", "g"]).ask(&*store).await.unwrap();
    let (mut after, mut positions) = (0, Vec::new());
    loop {
        let page = store.read_all(after, 3, &EventFilter::default()).await.unwrap();
        if page.scanned_to == after {
            break;
        }
        assert!(page.events.len() <= 3);
        positions.extend(page.events.iter().map(|event| event.position));
        after = page.scanned_to;
    }
    assert_eq!(positions, [1, 2, 3, 4, 5, 6, 7]);
}

/// A page has the hash of the event at its end, even if the filter excludes that event.
pub async fn a_page_has_the_hash_of_the_event_it_ends_at(log: &mut dyn LogUnderTest) {
    let store = log.store();
    Request::to(lamp(1), &["a"]).ask(&*store).await.unwrap();
    Request::to(stream("switch", 1), &["b"]).ask(&*store).await.unwrap();
    let last = store.read_all(1, 10, &EventFilter::default()).await.unwrap().events.remove(0);
    let page = store.read_all(0, 10, &EventFilter::categories(&["lamp"])).await.unwrap();
    assert_eq!((page.scanned_to, page.hash), (2, Some(last.hash)));
}

/// Headlines are events without data.
pub async fn headlines_are_events_without_their_data(log: &mut dyn LogUnderTest) {
    let store = log.store();
    Request::to(lamp(1), &["a", "b"]).ask(&*store).await.unwrap();
    let whole = store.read_all(0, 10, &EventFilter::default()).await.unwrap();
    let bare = whole.events.into_iter().map(|event| RecordedEvent { data: String::new(), ..event });
    let told = store.read_all(0, 10, &EventFilter::default().headlines()).await.unwrap();
    assert_eq!(told, Page { events: bare.collect(), scanned_to: 2, hash: whole.hash });
}

/// A page is limited in size, however many events are requested, and nothing is lost between two pages.
pub async fn a_page_of_large_events_ends_early(log: &mut dyn LogUnderTest) {
    let store = log.store();
    let large = "x".repeat(PAGE_BYTES / 4);
    for n in 0..6 {
        Request::to(lamp(n), &[&large]).ask(&*store).await.unwrap();
    }
    let (mut after, mut lengths) = (0, Vec::new());
    while after < 6 {
        let page = store.read_all(after, 100, &EventFilter::default()).await.unwrap();
        lengths.push(page.events.len());
        after = page.scanned_to;
    }
    assert_eq!(lengths, [4, 2]);
}

/// A read of a stream is limited in size, however many events are requested, and nothing is lost between two reads.
pub async fn a_stream_of_large_events_is_read_in_more_parts(log: &mut dyn LogUnderTest) {
    let store = log.store();
    let large = "x".repeat(PAGE_BYTES / 4);
    for _ in 0..6 {
        Request::to(lamp(1), &[&large]).ask(&*store).await.unwrap();
    }
    let (mut after, mut lengths) = (0, Vec::new());
    loop {
        let part = store.read_stream(lamp(1), after, 100).await.unwrap();
        lengths.push(part.len());
        after += part.len() as u64;
        if !goes_on(&part, 100) {
            break;
        }
    }
    assert_eq!(lengths, [4, 2]);
}

/// A reader of rare events makes progress and misses none.
pub async fn a_filter_still_moves_forward(log: &mut dyn LogUnderTest) {
    let store = log.store();
    for n in 0..40 {
        let category = if n % 10 == 3 { "switch" } else { "lamp" };
        Request::to(stream(category, n), &["a"]).ask(&*store).await.unwrap();
    }
    let filter = EventFilter::categories(&["switch", "socket"]);
    let (mut after, mut positions) = (0, Vec::new());
    while after < store.head().await.unwrap() {
        let page = store.read_all(after, 2, &filter).await.unwrap();
        assert!(page.scanned_to > after, "stuck after {after}");
        assert!(page.events.iter().all(|event| event.category == "switch"));
        positions.extend(page.events.iter().map(|event| event.position));
        after = page.scanned_to;
    }
    assert_eq!((positions, after), (vec![4, 14, 24, 34], 40));
}

/// Absence is not an error.
pub async fn a_stream_that_does_not_exist_is_empty(log: &mut dyn LogUnderTest) {
    assert_eq!(log.store().read_stream(lamp(1), 0, 10).await.unwrap(), []);
}

/// Waiting ends soon after the append, and not before.
pub async fn a_waiting_reader_is_woken_by_an_append(log: &mut dyn LogUnderTest) {
    let store = log.store();
    Request::to(lamp(1), &["a"]).ask(&*store).await.unwrap();
    assert_eq!(store.beyond(0, 0).await, 1, "what is there already needs no waiting");
    let early = tokio::time::timeout(Duration::from_millis(50), store.beyond(1, 0)).await;
    assert!(early.is_err(), "woken without an event");
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.beyond(1, 0).await }
    });
    Request::to(lamp(1), &["b"]).ask(&*store).await.unwrap();
    let woken = tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
    assert_eq!(woken, 2);
}

/// A reader with another rewind count missed a rewind and must not wait.
pub async fn a_reader_that_counts_otherwise_does_not_wait(log: &mut dyn LogUnderTest) {
    let store = log.store();
    Request::to(lamp(1), &["a"]).ask(&*store).await.unwrap();
    let other = Rewindable::rewinds(store.as_ref()) + 1;
    let woken = tokio::time::timeout(Duration::from_secs(1), store.beyond(1, other)).await;
    assert_eq!(woken, Ok(1));
}

/// Without a rewind, the count stays the same.
pub async fn a_log_that_only_grows_is_not_found_to_be_put_back(log: &mut dyn LogUnderTest) {
    for note in ["a", "b"] {
        Request::to(lamp(1), &[note]).ask(&*log.store()).await.unwrap();
        log.store().head().await.unwrap();
        assert_eq!(Rewindable::rewinds(log.store().as_ref()), 0);
        log.restart().await;
    }
}
