//! The contract of clocks and id generators.

use std::{sync::Arc, time::Duration};

use chrono::{SubsecRound as _, TimeDelta};
use devskyy_application::ports::{Clock, IdGenerator};
use uuid::Uuid;

use super::runs::Passage;

/// A clock and an id generator.
pub struct MachineUnderTest {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Moves the clock.
    pub time: Arc<dyn Passage>,
    /// The id generator.
    pub ids: Arc<dyn IdGenerator>,
}

const MOMENT: Duration = Duration::from_millis(20);

fn made(machine: &MachineUnderTest) -> Vec<Uuid> {
    (0..1_000).map(|_| machine.ids.next()).collect()
}

/// Time never goes backwards.
pub async fn time_does_not_run_backwards(machine: &MachineUnderTest) {
    let first = machine.clock.now();
    machine.time.pass(MOMENT).await;
    let second = machine.clock.now();
    assert!(second - first >= TimeDelta::milliseconds(20), "{first} {second}");
}

/// Databases store no more precision.
pub async fn an_instant_is_no_finer_than_a_microsecond(machine: &MachineUnderTest) {
    for _ in 0..100 {
        let now = machine.clock.now();
        assert_eq!(now, now.trunc_subsecs(6));
    }
}

/// A sleeper does not wake early.
pub async fn a_sleeper_sleeps_until_its_time(machine: &MachineUnderTest) {
    let early = tokio::time::timeout(MOMENT, machine.clock.sleep(Duration::from_secs(3_600))).await;
    assert!(early.is_err(), "woken an hour early");
}

/// A sleeper does not wake much too late.
pub async fn a_sleeper_wakes_when_its_time_has_come(machine: &MachineUnderTest) {
    let both = async { tokio::join!(machine.clock.sleep(MOMENT), machine.time.pass(MOMENT)) };
    assert!(tokio::time::timeout(Duration::from_secs(5), both).await.is_ok(), "still asleep");
}

/// Ids are unique.
pub async fn no_id_is_made_twice(machine: &MachineUnderTest) {
    let made = made(machine);
    let distinct: std::collections::BTreeSet<_> = made.iter().collect();
    assert_eq!(distinct.len(), made.len());
}

/// Ids sort by creation time.
pub async fn ids_sort_by_when_they_were_made(machine: &MachineUnderTest) {
    assert!(made(machine).is_sorted());
}

/// Ids conform to RFC 9562.
pub async fn ids_are_of_version_7(machine: &MachineUnderTest) {
    assert!(made(machine).iter().all(|id| id.get_version_num() == 7));
}

/// Creates a test for each promise about time and ids.
#[macro_export]
macro_rules! machine_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) machine] =>
            time_does_not_run_backwards,
            an_instant_is_no_finer_than_a_microsecond,
            a_sleeper_sleeps_until_its_time,
            a_sleeper_wakes_when_its_time_has_come,
            no_id_is_made_twice,
            ids_sort_by_when_they_were_made,
            ids_are_of_version_7,
        }
    };
}
