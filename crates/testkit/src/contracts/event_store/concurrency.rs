#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use devskyy_application::es::{AppendError, EventFilter, EventStore, Position, Precondition};

use super::{
    LogUnderTest,
    requests::{Request, lamp},
};

/// A race for one stream has exactly one winner.
pub async fn of_many_creators_exactly_one_wins(log: &mut dyn LogUnderTest) {
    let racers: Vec<_> = (0..16)
        .map(|_| {
            let store = log.store();
            tokio::spawn(async move { Request::when(lamp(1), Precondition::NoStream, &["a"]).ask(&*store).await })
        })
        .collect();
    let mut won = 0;
    for racer in racers {
        match racer.await.unwrap() {
            Ok(_) => won += 1,
            Err(error) => assert!(matches!(error, AppendError::Conflict { actual: 1, .. }), "{error:?}"),
        }
    }
    assert_eq!((won, log.store().head().await.unwrap()), (1, 1));
}

/// Writers that append with the version they loaded lose no update.
pub async fn concurrent_increments_are_none_lost(log: &mut dyn LogUnderTest) {
    const WRITERS: u64 = 8;
    const EACH: u64 = 5;
    let writers: Vec<_> = (0..WRITERS).map(|_| tokio::spawn(increments(log.store(), EACH))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let events = log.store().read_stream(lamp(1), 0, 1_000).await.unwrap();
    let notes: Vec<_> = events.iter().map(|event| super::text_of(event).to_owned()).collect();
    let expected: Vec<_> = (1..=WRITERS * EACH).map(|n| n.to_string()).collect();
    assert_eq!(notes, expected, "each increment builds on the one before");
}

async fn increments(store: Arc<dyn EventStore>, times: u64) {
    let mut done = 0;
    while done < times {
        let version = store.read_stream(lamp(1), 0, 1_000).await.unwrap().len() as u64;
        let next = (version + 1).to_string();
        let asked = Request::when(lamp(1), Precondition::Version(version), &[&next]).ask(&*store).await;
        match asked {
            Ok(_) => done += 1,
            Err(error) => assert!(matches!(error, AppendError::Conflict { .. }), "{error:?}"),
        }
    }
}

/// A reader that continues after its last position misses no event that becomes visible later.
pub async fn a_live_reader_sees_every_event_once_and_in_order(log: &mut dyn LogUnderTest) {
    const WRITERS: u64 = 8;
    const EACH: u64 = 12;
    let tail = tokio::spawn(tail(log.store(), WRITERS * EACH));
    let writers: Vec<_> = (0..WRITERS)
        .map(|n| {
            let store = log.store();
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                for _ in 0..EACH {
                    acknowledged.push(Request::to(lamp(n), &["a"]).ask(&*store).await.unwrap().last);
                }
                acknowledged
            })
        })
        .collect();
    let mut acknowledged = BTreeSet::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    let seen = tokio::time::timeout(Duration::from_secs(10), tail).await.expect_seen();
    assert_eq!(seen, acknowledged.into_iter().collect::<Vec<_>>(), "seen is not what was acknowledged");
    assert_eq!(seen, (1..=WRITERS * EACH).collect::<Vec<_>>(), "positions are not dense");
}

async fn tail(store: Arc<dyn EventStore>, wanted: u64) -> Vec<Position> {
    let (mut after, mut seen) = (0, Vec::new());
    while (seen.len() as u64) < wanted {
        store.beyond(after, 0).await;
        let page = store.read_all(after, 7, &EventFilter::default()).await.unwrap();
        seen.extend(page.events.iter().map(|event| event.position));
        after = page.scanned_to;
    }
    seen
}

trait Seen {
    fn expect_seen(self) -> Vec<Position>;
}

impl<E> Seen for Result<Result<Vec<Position>, E>, tokio::time::error::Elapsed> {
    fn expect_seen(self) -> Vec<Position> {
        match self {
            Ok(Ok(seen)) => seen,
            Ok(Err(_)) => panic!("the reader failed"),
            Err(_) => panic!("the reader is still waiting for events that were acknowledged"),
        }
    }
}
