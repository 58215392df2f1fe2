//! Retrying quarantined events.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use devskyy_application::{
    error::{Error, PortError},
    es::{Position, Precondition, SetAside as _, SettingAside},
};
use devskyy_testkit::{
    contracts::event_store::{Request, lamp, stream},
    fakes::{FixedClock, InMemoryEventStore, InMemorySetAside},
};

use super::{
    logs::{Unreadable, damage, silence},
    subscribing::Noting,
};

struct Rig {
    reaction: Arc<Noting>,
    aside: Arc<InMemorySetAside>,
    line: SettingAside,
}

impl Rig {
    /// A log of four events, the third not about a lamp; some positions are quarantined and due, one is unreadable.
    async fn new(aside: &[Position], unreadable: Position, failure: fn() -> PortError) -> Self {
        let log = Arc::new(InMemoryEventStore::default());
        Request::to(lamp(1), &["a", "b"]).ask(&*log).await.unwrap();
        let switch = Request::to(stream("switch", 1), &["c"]);
        switch.and(lamp(2), Precondition::Any, &["d"]).ask(&*log).await.unwrap();
        let store = Arc::new(Unreadable { log, at: AtomicU64::new(unreadable), failure });
        let reaction = Noting::failing(0, 0, || Error::Forbidden);
        let kept = Arc::new(InMemorySetAside::with_clock(Arc::new(FixedClock::default())));
        for position in aside {
            kept.put("noting", *position, "it failed", Duration::ZERO).await.unwrap();
        }
        let line = SettingAside::new(reaction.clone(), kept.clone(), store);
        Self { reaction, aside: kept, line }
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_read_keeps_none_behind_it_waiting() {
    let rig = Rig::new(&[2, 4], 2, damage).await;
    rig.line.try_again().await.unwrap();
    assert_eq!(rig.reaction.seen(), [4]);
}

#[tokio::test]
async fn an_event_that_cannot_be_read_stays_set_aside_with_the_reason() {
    let rig = Rig::new(&[2, 4], 2, damage).await;
    rig.line.try_again().await.unwrap();
    let left = rig.aside.of("noting");
    assert!(matches!(left.as_slice(), [(2, why)] if why.contains("does not have 32 bytes")), "{left:?}");
}

#[tokio::test]
async fn a_log_that_does_not_answer_leaves_what_is_set_aside_as_it_is() {
    let rig = Rig::new(&[2, 4], 2, silence).await;
    rig.line.try_again().await.unwrap_err();
    let failed = |position: Position| (position, "it failed".to_owned());
    assert_eq!(rig.aside.of("noting"), [failed(2), failed(4)]);
}

#[tokio::test]
async fn a_position_that_the_log_does_not_hold_any_more_is_forgotten() {
    let rig = Rig::new(&[9], 0, damage).await;
    rig.line.try_again().await.unwrap();
    assert!(rig.aside.of("noting").is_empty());
}

#[tokio::test]
async fn a_position_at_which_something_else_happened_is_forgotten_unheard() {
    let rig = Rig::new(&[3], 0, damage).await;
    rig.line.try_again().await.unwrap();
    assert_eq!((rig.reaction.seen(), rig.aside.of("noting")), (vec![], vec![]));
}
