//! The contract of events set aside by subscriptions. `set_aside_contract!(factory)` creates one test per promise.
#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_application::es::{Aside, Position, SetAside};

/// A store whose clock can be moved.
#[async_trait]
pub trait SetAsideUnderTest: Send {
    /// The store.
    fn aside(&self) -> Arc<dyn SetAside>;

    /// Returns when that much time has passed on the store's clock.
    async fn pass(&self, time: Duration);
}

/// A pause that ends during a test, however busy the machine is.
const BRIEF: Duration = Duration::from_millis(200);
/// A pause that outlasts every test, however busy the machine is.
const LONG: Duration = Duration::from_secs(300);

async fn put(keeper: &dyn SetAsideUnderTest, name: &str, at: Position, pause: Duration) {
    keeper.aside().put(name, at, "it cannot be read", pause).await.unwrap();
}

async fn due(keeper: &dyn SetAsideUnderTest, name: &str) -> Vec<Position> {
    keeper.aside().due(name, 10).await.unwrap().into_iter().map(|aside| aside.position).collect()
}

/// Nothing is due in an empty store.
pub async fn nothing_is_due_at_first(keeper: &mut dyn SetAsideUnderTest) {
    assert_eq!(due(keeper, "mail").await, Vec::<Position>::new());
}

/// An event set aside is not due during its pause.
pub async fn what_was_set_aside_is_left_alone_for_a_while(keeper: &mut dyn SetAsideUnderTest) {
    put(keeper, "mail", 7, LONG).await;
    assert_eq!(due(keeper, "mail").await, Vec::<Position>::new());
}

/// After the pause it is due until it is settled.
pub async fn what_was_set_aside_is_due_after_its_pause(keeper: &mut dyn SetAsideUnderTest) {
    put(keeper, "mail", 7, BRIEF).await;
    keeper.pass(BRIEF * 2).await;
    assert_eq!([due(keeper, "mail").await, due(keeper, "mail").await], [[7], [7]]);
}

/// A repeated failure is counted and starts a new pause.
pub async fn what_fails_again_is_counted_and_left_alone_anew(keeper: &mut dyn SetAsideUnderTest) {
    put(keeper, "mail", 7, BRIEF).await;
    put(keeper, "mail", 7, BRIEF).await;
    keeper.pass(BRIEF * 2).await;
    let twice = keeper.aside().due("mail", 10).await.unwrap();
    put(keeper, "mail", 7, LONG).await;
    let expected = vec![Aside { position: 7, failures: 2 }];
    assert_eq!((twice, due(keeper, "mail").await), (expected, vec![]));
}

/// A settled event is no longer due; settling an unknown one is no error.
pub async fn what_is_dealt_with_is_forgotten(keeper: &mut dyn SetAsideUnderTest) {
    for at in [7, 9] {
        put(keeper, "mail", at, BRIEF).await;
    }
    for at in [7, 8] {
        keeper.aside().settle("mail", at).await.unwrap();
    }
    keeper.pass(BRIEF * 2).await;
    assert_eq!(due(keeper, "mail").await, [9]);
}

/// The oldest come first, up to the limit.
pub async fn the_oldest_are_due_first(keeper: &mut dyn SetAsideUnderTest) {
    for at in [9, 7, 8] {
        put(keeper, "mail", at, BRIEF).await;
    }
    keeper.pass(BRIEF * 2).await;
    let two = keeper.aside().due("mail", 2).await.unwrap();
    assert_eq!((due(keeper, "mail").await, two.len()), (vec![7, 8, 9], 2));
}

/// Subscriptions are independent.
pub async fn subscriptions_set_aside_each_their_own(keeper: &mut dyn SetAsideUnderTest) {
    put(keeper, "mail", 7, BRIEF).await;
    put(keeper, "post", 7, BRIEF).await;
    keeper.aside().settle("post", 7).await.unwrap();
    keeper.pass(BRIEF * 2).await;
    assert_eq!((due(keeper, "mail").await, due(keeper, "post").await), (vec![7], vec![]));
}

/// Creates a test for each promise about events set aside.
#[macro_export]
macro_rules! set_aside_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&mut) set_aside] =>
            nothing_is_due_at_first,
            what_was_set_aside_is_left_alone_for_a_while,
            what_was_set_aside_is_due_after_its_pause,
            what_fails_again_is_counted_and_left_alone_anew,
            what_is_dealt_with_is_forgotten,
            the_oldest_are_due_first,
            subscriptions_set_aside_each_their_own,
        }
    };
}
