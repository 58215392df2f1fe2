//! The contract of checkpoints. `checkpoints_contract!(factory)` creates one test per promise.
#![expect(clippy::unwrap_used, reason = "a broken promise is a panic")]

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_application::es::{Checkpoints, Halt, Lease, Position};
use uuid::Uuid;

/// A store of checkpoints whose clock can be moved.
#[async_trait]
pub trait CheckpointsUnderTest: Send {
    /// The store, next to a log of at least ten events.
    fn checkpoints(&self) -> Arc<dyn Checkpoints>;

    /// The hash of the event at a position of the log.
    fn hash(&self, position: Position) -> [u8; 32];

    /// Returns when that much time has passed on the store's clock.
    async fn pass(&self, time: Duration);
}

/// A lease that lapses during a test, however busy the machine is.
const BRIEF: Duration = Duration::from_millis(200);
/// A lease that outlasts every test, however busy the machine is.
const TTL: Duration = Duration::from_secs(300);
const ADA: Uuid = Uuid::from_u128(1);
const EVE: Uuid = Uuid::from_u128(2);

async fn granted(keeper: &dyn CheckpointsUnderTest, owner: Uuid) -> Lease {
    keeper.checkpoints().claim("mail", owner, TTL).await.unwrap().unwrap()
}

/// A lease that has lapsed.
async fn lapsed(keeper: &dyn CheckpointsUnderTest, owner: Uuid) -> Lease {
    let lease = keeper.checkpoints().claim("mail", owner, BRIEF).await.unwrap().unwrap();
    keeper.pass(BRIEF * 2).await;
    lease
}

/// A new subscription starts before the first event.
pub async fn a_new_subscription_begins_at_zero(keeper: &mut dyn CheckpointsUnderTest) {
    assert_eq!(granted(keeper, ADA).await.position, 0);
}

/// A subscription has at most one holder.
pub async fn a_held_lease_is_not_granted_to_another(keeper: &mut dyn CheckpointsUnderTest) {
    granted(keeper, ADA).await;
    assert_eq!(keeper.checkpoints().claim("mail", EVE, TTL).await.unwrap(), None);
    assert!(keeper.checkpoints().claim("other", EVE, TTL).await.unwrap().is_some());
}

/// Progress belongs to the subscription, not to its holder.
pub async fn the_next_holder_continues_where_the_last_stopped(keeper: &mut dyn CheckpointsUnderTest) {
    let lease = granted(keeper, ADA).await;
    assert!(keeper.checkpoints().advance(&lease, 7, &keeper.hash(7)).await.unwrap());
    keeper.checkpoints().release(&lease).await.unwrap();
    let next = granted(keeper, EVE).await;
    assert_eq!(next.position, 7);
    assert!(next.fence > lease.fence);
}

/// A holder whose lease has lapsed cannot move the checkpoint of its successor.
pub async fn a_holder_that_slept_past_its_lease_is_refused(keeper: &mut dyn CheckpointsUnderTest) {
    let zombie = lapsed(keeper, ADA).await;
    let current = granted(keeper, EVE).await;
    let checkpoints = keeper.checkpoints();
    assert!(!checkpoints.advance(&zombie, 9, &keeper.hash(9)).await.unwrap());
    assert!(!checkpoints.renew(&zombie, TTL).await.unwrap());
    assert!(!checkpoints.halt(&zombie, 3, Halt::Stopped("late")).await.unwrap());
    assert!(!checkpoints.halt(&zombie, 3, Halt::Delayed("late")).await.unwrap());
    checkpoints.release(&zombie).await.unwrap();
    assert!(
        checkpoints.advance(&current, 1, &keeper.hash(1)).await.unwrap(),
        "the zombie gave back what was not its own"
    );
    assert_eq!(granted(keeper, EVE).await.position, 1);
}

/// Claiming again raises the fence; the holder's own old lease becomes invalid.
pub async fn claiming_again_ends_the_lease_before(keeper: &mut dyn CheckpointsUnderTest) {
    let first = granted(keeper, ADA).await;
    let second = granted(keeper, ADA).await;
    assert!(second.fence > first.fence);
    assert!(!keeper.checkpoints().advance(&first, 5, &keeper.hash(5)).await.unwrap());
}

/// A renewal in time keeps others out.
pub async fn a_renewed_lease_lasts_longer(keeper: &mut dyn CheckpointsUnderTest) {
    let lease = keeper.checkpoints().claim("mail", ADA, BRIEF).await.unwrap().unwrap();
    assert!(keeper.checkpoints().renew(&lease, TTL).await.unwrap());
    keeper.pass(BRIEF * 2).await;
    assert_eq!(keeper.checkpoints().claim("mail", EVE, TTL).await.unwrap(), None);
}

/// Processed events stay processed.
pub async fn a_checkpoint_never_moves_back(keeper: &mut dyn CheckpointsUnderTest) {
    let lease = granted(keeper, ADA).await;
    assert!(keeper.checkpoints().advance(&lease, 9, &keeper.hash(9)).await.unwrap());
    assert!(keeper.checkpoints().advance(&lease, 4, &keeper.hash(4)).await.unwrap());
    assert_eq!(granted(keeper, ADA).await.position, 9);
}

/// After a rewind, the new event at the same position has not been processed.
pub async fn a_checkpoint_moves_only_to_the_event_that_was_dealt_with(keeper: &mut dyn CheckpointsUnderTest) {
    let lease = granted(keeper, ADA).await;
    let moved = keeper.checkpoints().advance(&lease, 7, &keeper.hash(6)).await.unwrap();
    assert_eq!((moved, granted(keeper, ADA).await.position), (false, 0));
}

/// A stopped subscription continues with the failing event.
pub async fn a_stopped_line_continues_at_the_failing_event(keeper: &mut dyn CheckpointsUnderTest) {
    let lease = granted(keeper, ADA).await;
    assert!(keeper.checkpoints().halt(&lease, 5, Halt::Stopped("the mailbox is on fire")).await.unwrap());
    assert_eq!(granted(keeper, ADA).await.position, 4);
}

/// A delayed subscription continues with the same event, whoever takes over.
pub async fn a_line_that_is_held_up_continues_at_the_same_event(keeper: &mut dyn CheckpointsUnderTest) {
    let lease = granted(keeper, ADA).await;
    assert!(keeper.checkpoints().halt(&lease, 5, Halt::Delayed("the mailbox is full")).await.unwrap());
    assert_eq!(granted(keeper, ADA).await.position, 4);
}

/// Without a rewind, the log contains the processed event.
pub async fn a_checkpoint_the_log_holds_is_not_astray(keeper: &mut dyn CheckpointsUnderTest) {
    let lease = granted(keeper, ADA).await;
    assert!(keeper.checkpoints().advance(&lease, 7, &keeper.hash(7)).await.unwrap());
    assert!(!granted(keeper, ADA).await.astray);
}

/// A released lease cannot be used.
pub async fn a_lease_given_back_is_over(keeper: &mut dyn CheckpointsUnderTest) {
    let lease = granted(keeper, ADA).await;
    keeper.checkpoints().release(&lease).await.unwrap();
    assert!(!keeper.checkpoints().advance(&lease, 5, &keeper.hash(5)).await.unwrap());
    assert!(keeper.checkpoints().claim("mail", EVE, TTL).await.unwrap().is_some());
}

/// Creates a test for each promise of checkpoints.
#[macro_export]
macro_rules! checkpoints_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&mut) checkpoints] =>
            a_new_subscription_begins_at_zero,
            a_held_lease_is_not_granted_to_another,
            the_next_holder_continues_where_the_last_stopped,
            a_holder_that_slept_past_its_lease_is_refused,
            claiming_again_ends_the_lease_before,
            a_renewed_lease_lasts_longer,
            a_checkpoint_never_moves_back,
            a_checkpoint_moves_only_to_the_event_that_was_dealt_with,
            a_stopped_line_continues_at_the_failing_event,
            a_line_that_is_held_up_continues_at_the_same_event,
            a_checkpoint_the_log_holds_is_not_astray,
            a_lease_given_back_is_over,
        }
    };
}
