//! The machine's clock and randomness keep the contract.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_infrastructure::system::{RandomIds, SystemClock};
use devskyy_testkit::contracts::{machine::MachineUnderTest, runs::Passage};

/// Lets time pass by waiting for it.
pub(crate) struct Waits;

#[async_trait]
impl Passage for Waits {
    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

async fn real() -> MachineUnderTest {
    MachineUnderTest { clock: Arc::new(SystemClock), time: Arc::new(Waits), ids: Arc::new(RandomIds) }
}

devskyy_testkit::machine_contract!(real);
