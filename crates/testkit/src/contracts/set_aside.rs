//! What everybody promises who keeps what subscriptions set aside. `set_aside_contract!(factory)` makes one test of each
//! promise.
#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_application::es::{Aside, Position, SetAside};

/// A keeper, with the power to let time pass on its clock.
#[async_trait]
pub trait SetAsideUnderTest: Send {
    /// The keeper.
    fn aside(&self) -> Arc<dyn SetAside>;

    /// Returns when that much time has passed on the keeper's clock.
    async fn pass(&self, time: Duration);
}

/// A pause that is over before a test is, however busy the machine.
const BRIEF: Duration = Duration::from_millis(200);
/// A pause that no test outlasts, however busy the machine.
const LONG: Duration = Duration::from_secs(300);

async fn put(keeper: &dyn SetAsideUnderTest, name: &str, at: Position, pause: Duration) {
    keeper.aside().put(name, at, "it cannot be read", pause).await.unwrap();
}

async fn due(keeper: &dyn SetAsideUnderTest, name: &str) -> Vec<Position> {
    keeper.aside().due(name, 10).await.unwrap().into_iter().map(|aside| aside.position).collect()
}

/// Nothing is due before something was set aside.
pub async fn nothing_is_due_at_first(keeper: &mut dyn SetAsideUnderTest) {
    assert_eq!(due(keeper, "mail").await, Vec::<Position>::new());
}

/// What was set aside is left alone for its pause.
pub async fn what_was_set_aside_is_left_alone_for_a_while(keeper: &mut dyn SetAsideUnderTest) {
    put(keeper, "mail", 7, LONG).await;
    assert_eq!(due(keeper, "mail").await, Vec::<Position>::new());
}

/// After its pause it is due, and stays so until somebody has dealt with it.
pub async fn what_was_set_aside_is_due_after_its_pause(keeper: &mut dyn SetAsideUnderTest) {
    put(keeper, "mail", 7, BRIEF).await;
    keeper.pass(BRIEF * 2).await;
    assert_eq!([due(keeper, "mail").await, due(keeper, "mail").await], [[7], [7]]);
}

/// What fails again has failed once more, and is left alone anew.
pub async fn what_fails_again_is_counted_and_left_alone_anew(keeper: &mut dyn SetAsideUnderTest) {
    put(keeper, "mail", 7, BRIEF).await;
    put(keeper, "mail", 7, BRIEF).await;
    keeper.pass(BRIEF * 2).await;
    let twice = keeper.aside().due("mail", 10).await.unwrap();
    put(keeper, "mail", 7, LONG).await;
    let expected = vec![Aside { position: 7, failures: 2 }];
    assert_eq!((twice, due(keeper, "mail").await), (expected, vec![]));
}

/// What is dealt with is not due any more; what was never set aside may be said to be dealt with.
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

/// The oldest come first, and no more than were asked for.
pub async fn the_oldest_are_due_first(keeper: &mut dyn SetAsideUnderTest) {
    for at in [9, 7, 8] {
        put(keeper, "mail", at, BRIEF).await;
    }
    keeper.pass(BRIEF * 2).await;
    let two = keeper.aside().due("mail", 2).await.unwrap();
    assert_eq!((due(keeper, "mail").await, two.len()), (vec![7, 8, 9], 2));
}

/// What one subscription sets aside is no other one's.
pub async fn subscriptions_set_aside_each_their_own(keeper: &mut dyn SetAsideUnderTest) {
    put(keeper, "mail", 7, BRIEF).await;
    put(keeper, "post", 7, BRIEF).await;
    keeper.aside().settle("post", 7).await.unwrap();
    keeper.pass(BRIEF * 2).await;
    assert_eq!((due(keeper, "mail").await, due(keeper, "post").await), (vec![7], vec![]));
}

/// Makes a test of each promise of a keeper of what was set aside.
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
