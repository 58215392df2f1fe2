//! The clock and the ids of tests keep the contract, and the contract detects those that break a promise.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::ports::{Clock, IdGenerator};
use devskyy_testkit::{
    contracts::machine::MachineUnderTest,
    fakes::{FixedClock, SequentialIds},
};
use uuid::Uuid;

use crate::runs::Moves;

async fn in_memory() -> MachineUnderTest {
    let clock = Arc::new(FixedClock::default());
    MachineUnderTest { clock: clock.clone(), time: Arc::new(Moves(clock)), ids: Arc::new(SequentialIds::default()) }
}

devskyy_testkit::machine_contract!(in_memory);

/// Runs backwards, by less than a microsecond at a time, and never sleeps.
#[derive(Default)]
struct Restless(AtomicI64);

#[async_trait]
impl Clock for Restless {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH - TimeDelta::nanoseconds(self.0.fetch_add(1, Ordering::Relaxed))
    }

    async fn sleep(&self, _: Duration) {}
}

/// Never wakes a sleeper.
struct Stopped;

#[async_trait]
impl Clock for Stopped {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    async fn sleep(&self, _: Duration) {
        std::future::pending().await
    }
}

/// Counts down, without a UUID version.
#[derive(Default)]
struct Descending(AtomicU64);

impl IdGenerator for Descending {
    fn next(&self) -> Uuid {
        Uuid::from_u64_pair(0, u64::MAX - self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// Always returns the same id.
struct Constant;

impl IdGenerator for Constant {
    fn next(&self) -> Uuid {
        SequentialIds::nth(1)
    }
}

fn suspect(clock: impl Clock + 'static, ids: impl IdGenerator + 'static) -> MachineUnderTest {
    let time = Arc::new(Moves(Arc::new(FixedClock::default())));
    MachineUnderTest { clock: Arc::new(clock), time, ids: Arc::new(ids) }
}

fn flawed() -> [MachineUnderTest; 2] {
    [suspect(Restless::default(), Descending::default()), suspect(Stopped, Constant)]
}

mod caught {
    use super::flawed;

    devskyy_testkit::machine_contract!(each broken flawed);
}
