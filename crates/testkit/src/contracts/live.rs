//! The contract of the wire between processes ([`LiveWire`], [`LiveLine`]).
#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

use std::{any::Any, collections::BTreeSet, sync::Arc, time::Duration};

use devskyy_application::runs::{Delta, LiveLine, LiveMessage, LiveWire, Spoken};
use devskyy_domain::kernel::ids::{OperationId, RunId};
use uuid::Uuid;

/// A wire without other users.
pub struct WireUnderTest {
    /// The wire.
    pub wire: Arc<dyn LiveWire>,
    /// Resources that must live as long as the test.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// Timeout for a message that must arrive.
const PATIENCE: Duration = Duration::from_secs(10);

fn run(n: u128) -> RunId {
    RunId::from(Uuid::from_u128(0x7000 + n))
}

fn spoken(number: u64, text: &str) -> Spoken {
    let operation = OperationId::from(Uuid::from_u128(9));
    let delta = Delta { step: "turn_1".into(), operation, attempt: 2, offset: 40, text: text.to_owned() };
    Spoken { run: run(1), fence: 3, number, delta }
}

fn message(number: u64) -> LiveMessage {
    LiveMessage::Spoken(spoken(number, "It is \"filed\".\n"))
}

async fn two(test: &WireUnderTest) -> (Box<dyn LiveLine>, Box<dyn LiveLine>) {
    (test.wire.join().await.unwrap(), test.wire.join().await.unwrap())
}

async fn heard(line: &mut dyn LiveLine) -> LiveMessage {
    tokio::time::timeout(PATIENCE, line.hear()).await.unwrap().unwrap()
}

/// All messages up to the one with which the sender announces that it is done.
async fn heard_until(line: &mut dyn LiveLine, last: &LiveMessage) -> Vec<LiveMessage> {
    let mut messages = Vec::new();
    loop {
        let message = heard(line).await;
        if message == *last {
            return messages;
        }
        messages.push(message);
    }
}

/// Every other process receives the messages unchanged.
pub async fn what_one_says_all_others_hear(test: &WireUnderTest) {
    let (mut one, mut other) = two(test).await;
    let mut third = test.wire.join().await.unwrap();
    let said = [message(1), LiveMessage::Listening(vec![run(1), run(2)])];
    one.say(said.to_vec()).await.unwrap();
    for line in [&mut other, &mut third] {
        assert_eq!([heard(line.as_mut()).await, heard(line.as_mut()).await], said);
    }
}

/// A process does not receive its own messages.
pub async fn nobody_hears_himself(test: &WireUnderTest) {
    let (mut one, mut other) = two(test).await;
    one.say(vec![message(1)]).await.unwrap();
    other.say(vec![message(2)]).await.unwrap();
    assert_eq!(heard(one.as_mut()).await, message(2));
}

/// Messages are neither reordered nor repeated.
pub async fn what_one_says_is_heard_once_and_in_order(test: &WireUnderTest) {
    let (mut one, mut other) = two(test).await;
    for ten in 0..20 {
        one.say((0..10).map(|n| message(ten * 10 + n)).collect()).await.unwrap();
    }
    let done = LiveMessage::Listening(vec![run(9)]);
    one.say(vec![done.clone()]).await.unwrap();
    assert_eq!(heard_until(other.as_mut(), &done).await, (0..200).map(message).collect::<Vec<_>>());
}

/// A long delta arrives completely, and its parts share its number.
pub async fn a_long_piece_arrives_whole(test: &WireUnderTest) {
    let (mut one, mut other) = two(test).await;
    let text = "\u{0}\u{1b}\"\\ plain, ümlaut, 日本語, \u{1f600}\n".repeat(1_500);
    let done = LiveMessage::Listening(vec![run(9)]);
    one.say(vec![LiveMessage::Spoken(spoken(5, &text)), done.clone()]).await.unwrap();
    let (mut arrived, mut end) = (String::new(), 40);
    for part in heard_until(other.as_mut(), &done).await {
        let LiveMessage::Spoken(part) = part else { panic!("{part:?}") };
        assert_eq!(part, Spoken { delta: Delta { offset: end, ..part.delta.clone() }, ..spoken(5, &part.delta.text) });
        end += part.delta.text.len() as u64;
        arrived.push_str(&part.delta.text);
    }
    assert!(arrived == text, "{} bytes of {} arrived", arrived.len(), text.len());
}

/// A subscription to many runs arrives completely.
pub async fn many_runs_are_told(test: &WireUnderTest) {
    let (mut one, mut other) = two(test).await;
    let runs: BTreeSet<RunId> = (0..1_000).map(run).collect();
    one.say(vec![LiveMessage::Listening(runs.iter().copied().collect()), message(1)]).await.unwrap();
    let mut told = BTreeSet::new();
    for part in heard_until(other.as_mut(), &message(1)).await {
        let LiveMessage::Listening(part) = part else { panic!("{part:?}") };
        told.extend(part);
    }
    assert_eq!(told, runs);
}

/// A heartbeat is not received as a message.
pub async fn nothing_said_is_nothing_heard(test: &WireUnderTest) {
    let (mut one, mut other) = two(test).await;
    one.say(vec![]).await.unwrap();
    one.say(vec![message(1)]).await.unwrap();
    assert_eq!(heard(other.as_mut()).await, message(1));
}

/// Earlier messages are not received.
pub async fn whoever_joins_hears_what_is_said_from_then_on(test: &WireUnderTest) {
    let mut one = test.wire.join().await.unwrap();
    one.say(vec![message(1)]).await.unwrap();
    let mut late = test.wire.join().await.unwrap();
    one.say(vec![message(2)]).await.unwrap();
    assert_eq!(heard(late.as_mut()).await, message(2));
}

/// `hear` is cancel safe.
pub async fn whoever_stops_waiting_misses_nothing(test: &WireUnderTest) {
    let (mut one, mut other) = two(test).await;
    let mut arrived = Vec::new();
    for number in 0..50 {
        // The first call finds nothing; the later ones are dropped while a message may be arriving.
        let waited = tokio::time::timeout(Duration::from_millis(1), other.hear()).await;
        arrived.extend(waited.map(Result::unwrap));
        one.say(vec![message(number)]).await.unwrap();
    }
    while arrived.len() < 50 {
        arrived.push(heard(other.as_mut()).await);
    }
    assert_eq!(arrived, (0..50).map(message).collect::<Vec<_>>());
}

/// Sending does not lose received messages.
pub async fn what_arrives_while_one_speaks_is_heard(test: &WireUnderTest) {
    let (mut one, mut other) = two(test).await;
    for number in 0..20 {
        one.say(vec![message(number)]).await.unwrap();
        other.say(vec![message(100 + number)]).await.unwrap();
    }
    for number in 0..20 {
        let both = (heard(one.as_mut()).await, heard(other.as_mut()).await);
        assert_eq!(both, (message(100 + number), message(number)));
    }
}

/// Creates a test for each promise of a wire.
#[macro_export]
macro_rules! live_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) live] =>
            what_one_says_all_others_hear,
            nobody_hears_himself,
            what_one_says_is_heard_once_and_in_order,
            a_long_piece_arrives_whole,
            many_runs_are_told,
            nothing_said_is_nothing_heard,
            whoever_joins_hears_what_is_said_from_then_on,
            whoever_stops_waiting_misses_nothing,
            what_arrives_while_one_speaks_is_heard,
        }
    };
}
