use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_application::es::Checkpoints;
use devskyy_testkit::{
    checkpoints_contract,
    contracts::checkpoints::{self, CheckpointsUnderTest},
    fakes::{FixedClock, InMemoryCheckpoints},
};
use futures_util::FutureExt;

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

async fn in_memory() -> InMemory {
    let clock = Arc::new(FixedClock::default());
    InMemory { checkpoints: Arc::new(InMemoryCheckpoints::with_clock(clock.clone())), clock }
}

checkpoints_contract!(in_memory);

/// Grants every lease to everybody: its clock runs far ahead between any two questions.
struct Generous(InMemory);

#[async_trait]
impl CheckpointsUnderTest for Generous {
    fn checkpoints(&self) -> Arc<dyn Checkpoints> {
        self.0.clock.advance(Duration::from_secs(3_600));
        self.0.checkpoints()
    }

    async fn pass(&self, time: Duration) {
        self.0.pass(time).await;
    }
}

#[tokio::test]
async fn a_keeper_that_grants_a_held_lease_is_caught() {
    let mut culprit = Generous(in_memory().await);
    let verdict = std::panic::AssertUnwindSafe(checkpoints::a_held_lease_is_not_granted_to_another(&mut culprit));
    assert!(verdict.catch_unwind().await.is_err());
}
