#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{Checkpoints, Halt, Lease, Position},
};
use devskyy_testkit::{
    checkpoints_contract,
    contracts::checkpoints::CheckpointsUnderTest,
    fakes::{FixedClock, InMemoryCheckpoints},
};
use uuid::Uuid;

struct InMemory {
    clock: Arc<FixedClock>,
    checkpoints: Arc<InMemoryCheckpoints>,
}

#[async_trait]
impl CheckpointsUnderTest for InMemory {
    fn checkpoints(&self) -> Arc<dyn Checkpoints> {
        self.checkpoints.clone()
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }
}

fn fresh() -> InMemory {
    let clock = Arc::new(FixedClock::default());
    InMemory { checkpoints: Arc::new(InMemoryCheckpoints::with_clock(clock.clone())), clock }
}

async fn in_memory() -> InMemory {
    fresh()
}

checkpoints_contract!(in_memory);

/// What is wrong with a keeper.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// Grants every lease to everybody.
    Generous,
    /// Takes the word of whoever held a lease once.
    Trusting,
    /// Says that it renewed, and did not.
    Idle,
    /// Begins anew with each holder, one event too late.
    Forgetful,
    /// Puts the checkpoint wherever it is told.
    Pliant,
    /// Goes on behind the event that a line is stopped at.
    Skipping,
    /// Goes on behind the event that a line is held up by.
    Hasty,
    /// Takes it that the log was put back.
    Doubting,
    /// Takes no lease back.
    Clinging,
}

struct Flawed {
    honest: InMemory,
    flaw: Flaw,
    told: Mutex<Position>,
}

#[async_trait]
impl Checkpoints for Flawed {
    async fn claim(&self, name: &str, owner: Uuid, ttl: Duration) -> Result<Option<Lease>, PortError> {
        if self.flaw == Flaw::Generous {
            self.honest.clock.advance(Duration::from_secs(3_600));
        }
        let granted = self.honest.checkpoints.claim(name, owner, ttl).await?;
        let position = match self.flaw {
            Flaw::Forgetful => Some(1),
            Flaw::Pliant => Some(*self.told.lock().unwrap()),
            _ => None,
        };
        let astray = self.flaw == Flaw::Doubting;
        Ok(granted.map(|lease| Lease { position: position.unwrap_or(lease.position), astray, ..lease }))
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<bool, PortError> {
        if self.flaw == Flaw::Idle { Ok(true) } else { self.honest.checkpoints.renew(lease, ttl).await }
    }

    async fn advance(&self, lease: &Lease, to: Position) -> Result<bool, PortError> {
        *self.told.lock().unwrap() = to;
        Ok(self.honest.checkpoints.advance(lease, to).await? || self.flaw == Flaw::Trusting)
    }

    async fn halt(&self, lease: &Lease, at: Position, halt: Halt<'_>) -> Result<bool, PortError> {
        let skips = match halt {
            Halt::Delayed(_) => self.flaw == Flaw::Hasty,
            Halt::Stopped(_) => self.flaw == Flaw::Skipping,
        };
        self.honest.checkpoints.halt(lease, if skips { at + 1 } else { at }, halt).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), PortError> {
        if self.flaw == Flaw::Clinging { Ok(()) } else { self.honest.checkpoints.release(lease).await }
    }
}

struct Suspect(Arc<Flawed>);

#[async_trait]
impl CheckpointsUnderTest for Suspect {
    fn checkpoints(&self) -> Arc<dyn Checkpoints> {
        self.0.clone()
    }

    async fn pass(&self, time: Duration) {
        self.0.honest.pass(time).await;
    }
}

fn flawed() -> [Suspect; 9] {
    use Flaw::{Clinging, Doubting, Forgetful, Generous, Hasty, Idle, Pliant, Skipping, Trusting};
    [Generous, Trusting, Idle, Forgetful, Pliant, Skipping, Hasty, Doubting, Clinging]
        .map(|flaw| Suspect(Arc::new(Flawed { honest: fresh(), flaw, told: Mutex::default() })))
}

mod caught {
    use super::flawed;

    devskyy_testkit::checkpoints_contract!(each broken flawed);
}
