#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

use std::borrow::Cow;

use devskyy_application::es::{
    AppendError, EventFilter, EventStore, NewEvent, Precondition, RecordedEvent,
    chain::{self, GENESIS, Link},
};

use super::{
    LogUnderTest,
    requests::{Request, context, key, lamp, stream, text_of},
};

pub(super) async fn everything(store: &dyn EventStore) -> Vec<RecordedEvent> {
    store.read_all(0, 10_000, &EventFilter::default()).await.unwrap().events
}

/// A new log is empty.
pub async fn a_fresh_log_is_empty(log: &mut dyn LogUnderTest) {
    let store = log.store();
    let page = store.read_all(0, 100, &EventFilter::default()).await.unwrap();
    assert_eq!((store.head().await.unwrap(), page.events.len(), page.scanned_to), (0, 0, 0));
}

/// Every member of an event is returned unchanged, byte for byte.
pub async fn an_event_is_read_back_exactly_as_it_was_recorded(log: &mut dyn LogUnderTest) {
    let data = "{\"ü\": [1,  2.50, \"\\u0000 🦀\"], \"a\":null}";
    let mut request = Request::to(lamp(1), &["x"]).build();
    request.writes[0].events =
        vec![NewEvent { event_type: Cow::Borrowed("lamp.lit"), schema_version: 7, data: data.to_owned() }];
    log.store().append(request).await.unwrap();
    let read = log.store().read_stream(lamp(1), 0, 10).await.unwrap();
    let [event] = read.as_slice() else { panic!("one event was recorded, {} were read", read.len()) };
    assert_eq!((event.position, event.version, event.schema_version), (1, 1, 7));
    assert_eq!((&*event.category, event.stream_id, &*event.event_type), ("lamp", lamp(1).id, "lamp.lit"));
    assert_eq!((event.data.as_str(), &event.context), (data, &context()));
    assert_eq!(event.event_id, chain::event_id(&lamp(1), 1));
    assert_eq!(everything(&*log.store()).await, read, "both ways of reading agree");
}

/// Positions start at 1 and have no gaps; a refused request uses none.
pub async fn positions_are_dense_over_accepted_requests(log: &mut dyn LogUnderTest) {
    let store = log.store();
    for n in 0..5 {
        let accepted = Request::to(lamp(n), &["a", "b"]).ask(&*store).await.unwrap();
        assert_eq!((accepted.first, accepted.last), (2 * n + 1, 2 * n + 2));
        assert!(Request::when(lamp(n), Precondition::NoStream, &["c"]).ask(&*store).await.is_err());
    }
    let positions: Vec<_> = everything(&*store).await.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=10).collect::<Vec<_>>());
}

/// Each stream counts its own events; the same id in another category is another stream.
pub async fn versions_count_within_each_stream(log: &mut dyn LogUnderTest) {
    let store = log.store();
    Request::to(lamp(1), &["a"]).ask(&*store).await.unwrap();
    Request::to(stream("switch", 1), &["b"]).ask(&*store).await.unwrap();
    let answer = Request::to(lamp(1), &["c", "d"]).ask(&*store).await.unwrap();
    assert_eq!(answer.streams[0].version, 3);
    let read = store.read_stream(lamp(1), 0, 10).await.unwrap();
    let seen: Vec<_> = read.iter().map(|event| (event.version, text_of(event))).collect();
    assert_eq!(seen, [(1, "a"), (2, "c"), (3, "d")]);
}

/// Each precondition, against a stream without events and one with two.
pub async fn each_precondition_holds_in_exactly_its_states(log: &mut dyn LogUnderTest) {
    let store = log.store();
    let cases = [
        (Precondition::Any, true, true),
        (Precondition::NoStream, true, false),
        (Precondition::Exists, false, true),
        (Precondition::Version(0), true, false),
        (Precondition::Version(1), false, false),
        (Precondition::Version(2), false, true),
        (Precondition::Version(3), false, false),
    ];
    for (n, (precondition, on_none, on_two)) in (0..).zip(cases) {
        let (none, two) = (lamp(100 + n), lamp(200 + n));
        Request::to(two, &["a", "b"]).ask(&*store).await.unwrap();
        let accepted = Request::when(none, precondition, &["x"]).ask(&*store).await.is_ok();
        assert_eq!(accepted, on_none, "{precondition:?} on a stream without events");
        let accepted = Request::when(two, precondition, &["x"]).ask(&*store).await.is_ok();
        assert_eq!(accepted, on_two, "{precondition:?} on a stream with two events");
    }
}

/// A conflict reports the actual version of the stream.
pub async fn a_conflict_names_the_stream_and_both_versions(log: &mut dyn LogUnderTest) {
    let store = log.store();
    Request::to(lamp(1), &["a", "b"]).ask(&*store).await.unwrap();
    let refused = Request::when(lamp(1), Precondition::Version(1), &["c"]).ask(&*store).await;
    let Err(AppendError::Conflict { stream, expected, actual }) = refused else { panic!("{refused:?}") };
    assert_eq!((stream, expected, actual), (lamp(1), Precondition::Version(1), 2));
}

/// A conflict of one stream prevents the events of the others, too.
pub async fn several_streams_are_recorded_together_or_not_at_all(log: &mut dyn LogUnderTest) {
    let store = log.store();
    Request::to(lamp(2), &["old"]).ask(&*store).await.unwrap();
    let both = Request::to(lamp(1), &["new"]).and(lamp(2), Precondition::NoStream, &["new"]);
    assert!(matches!(both.ask(&*store).await, Err(AppendError::Conflict { .. })));
    assert_eq!(store.read_stream(lamp(1), 0, 10).await.unwrap(), []);
    let both = Request::to(lamp(1), &["new"]).and(lamp(2), Precondition::Version(1), &["new", "newer"]);
    let answer = both.ask(&*store).await.unwrap();
    assert_eq!((answer.first, answer.last), (2, 4));
    let versions: Vec<_> = answer.streams.iter().map(|written| (written.stream, written.version)).collect();
    assert_eq!(versions, [(lamp(1), 1), (lamp(2), 3)]);
}

/// A write without events only checks its precondition.
pub async fn a_bare_guard_records_nothing_and_still_refuses(log: &mut dyn LogUnderTest) {
    let store = log.store();
    Request::to(lamp(1), &["a"]).ask(&*store).await.unwrap();
    let holds = Request::when(lamp(1), Precondition::Exists, &[]).and(lamp(2), Precondition::Any, &["b"]);
    assert_eq!(holds.ask(&*store).await.unwrap().last, 2);
    let fails = Request::when(lamp(1), Precondition::Version(9), &[]).and(lamp(2), Precondition::Any, &["c"]);
    assert!(matches!(fails.ask(&*store).await, Err(AppendError::Conflict { actual: 1, .. })));
    let alone = Request::when(lamp(1), Precondition::Version(1), &[]).ask(&*store).await.unwrap();
    assert_eq!((alone.first, alone.last, store.head().await.unwrap()), (2, 2, 2));
}

/// Two writes to one stream would make its precondition ambiguous.
pub async fn a_request_that_names_a_stream_twice_is_refused(log: &mut dyn LogUnderTest) {
    let twice = Request::to(lamp(1), &["a"]).and(lamp(1), Precondition::Any, &["b"]);
    assert!(matches!(twice.ask(&*log.store()).await, Err(AppendError::Port(error)) if !error.retryable));
    assert_eq!(log.store().head().await.unwrap(), 0);
}

/// Times never decrease with the position.
pub async fn time_never_goes_back(log: &mut dyn LogUnderTest) {
    for n in 0..20 {
        Request::to(lamp(n % 3), &["a"]).ask(&*log.store()).await.unwrap();
    }
    log.restart().await;
    Request::to(lamp(1), &["b"]).ask(&*log.store()).await.unwrap();
    let times: Vec<_> = everything(&*log.store()).await.iter().map(|event| event.recorded_at).collect();
    assert!(times.is_sorted(), "{times:?}");
}

/// A change of any stored value breaks the hash chain.
pub async fn each_hash_covers_its_event_and_the_hash_before(log: &mut dyn LogUnderTest) {
    Request::to(lamp(1), &["a", "b"]).and(lamp(2), Precondition::Any, &["c"]).ask(&*log.store()).await.unwrap();
    Request::to(lamp(2), &["d"]).ask(&*log.store()).await.unwrap();
    let mut previous = GENESIS;
    for event in everything(&*log.store()).await {
        let link = Link {
            position: event.position,
            category: &event.category,
            stream_id: event.stream_id,
            version: event.version,
            event_id: event.event_id,
            correlation_id: event.context.correlation_id,
            causation_id: event.context.causation_id,
            event_type: &event.event_type,
            schema_version: event.schema_version,
            recorded_at: event.recorded_at.timestamp_micros(),
            data: chain::digest(&event.data),
            meta: chain::digest(&serde_json::to_string(&event.context).unwrap()),
        };
        assert_eq!(link.hash(&previous), event.hash, "position {}", event.position);
        previous = event.hash;
    }
}

/// Events, versions, claims and keys survive a restart of the adapter.
pub async fn everything_survives_a_restart(log: &mut dyn LogUnderTest) {
    let request = Request::to(lamp(1), &["a", "b"]).taking("ada", 1).under(key(1, "k", 1));
    request.clone().ask(&*log.store()).await.unwrap();
    let before = everything(&*log.store()).await;
    log.restart().await;
    let store = log.store();
    assert_eq!(everything(&*store).await, before);
    assert!(request.ask(&*store).await.unwrap().replayed);
    let stranger = Request::to(lamp(2), &["c"]).taking("ada", 2).ask(&*store).await;
    assert!(matches!(stranger, Err(AppendError::ClaimTaken { .. })), "{stranger:?}");
    assert_eq!(Request::when(lamp(1), Precondition::Version(2), &["d"]).ask(&*store).await.unwrap().first, 3);
}
