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
    contracts::{
        checkpoints::CheckpointsUnderTest,
        event_store::{Request, lamp},
    },
    fakes::{FixedClock, InMemoryCheckpoints, InMemoryEventStore},
};
use futures_util::FutureExt as _;
use uuid::Uuid;

struct InMemory {
    clock: Arc<FixedClock>,
    checkpoints: Arc<InMemoryCheckpoints>,
    log: Arc<InMemoryEventStore>,
}

#[async_trait]
impl CheckpointsUnderTest for InMemory {
    fn checkpoints(&self) -> Arc<dyn Checkpoints> {
        self.checkpoints.clone()
    }

    fn hash(&self, position: Position) -> [u8; 32] {
        self.log.events().into_iter().find(|event| event.position == position).unwrap().hash
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }
}

fn fresh() -> InMemory {
    let (clock, log) = (Arc::new(FixedClock::default()), Arc::new(InMemoryEventStore::default()));
    for n in 0..10 {
        Request::to(lamp(n), &["a"]).ask(log.as_ref()).now_or_never().unwrap().unwrap();
    }
    let checkpoints = InMemoryCheckpoints::with_clock(clock.clone()).beside(log.clone());
    InMemory { checkpoints: Arc::new(checkpoints), clock, log }
}

async fn in_memory() -> InMemory {
    fresh()
}

checkpoints_contract!(in_memory);

/// What is wrong with a store of checkpoints.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// Grants every lease to every claimant.
    Generous,
    /// Trusts former holders of a lease.
    Trusting,
    /// Reports a renewal, but does not renew.
    Idle,
    /// Restarts with each holder, one event too late.
    Forgetful,
    /// Moves the checkpoint wherever it is asked to.
    Pliant,
    /// Takes whatever the log has at a position for the processed event.
    Blind,
    /// Continues after the event at which a subscription is stopped.
    Skipping,
    /// Continues after the event that delays a subscription.
    Hasty,
    /// Assumes that the log was rewound.
    Doubting,
    /// Releases no lease.
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

    async fn advance(&self, lease: &Lease, to: Position, hash: &[u8; 32]) -> Result<bool, PortError> {
        *self.told.lock().unwrap() = to;
        let found = self.honest.hash(to);
        let hash = if self.flaw == Flaw::Blind { &found } else { hash };
        Ok(self.honest.checkpoints.advance(lease, to, hash).await? || self.flaw == Flaw::Trusting)
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

    fn hash(&self, position: Position) -> [u8; 32] {
        self.0.honest.hash(position)
    }

    async fn pass(&self, time: Duration) {
        self.0.honest.pass(time).await;
    }
}

fn flawed() -> [Suspect; 10] {
    use Flaw::{Blind, Clinging, Doubting, Forgetful, Generous, Hasty, Idle, Pliant, Skipping, Trusting};
    [Generous, Trusting, Idle, Forgetful, Pliant, Blind, Skipping, Hasty, Doubting, Clinging]
        .map(|flaw| Suspect(Arc::new(Flawed { honest: fresh(), flaw, told: Mutex::default() })))
}

mod caught {
    use super::flawed;

    devskyy_testkit::checkpoints_contract!(each broken flawed);
}
