use std::sync::Arc;

use async_trait::async_trait;
use devskyy_application::es::EventStore;
use devskyy_testkit::{contracts::event_store::LogUnderTest, event_store_contract, fakes::InMemoryEventStore};

struct InMemory(Arc<InMemoryEventStore>);

#[async_trait]
impl LogUnderTest for InMemory {
    fn store(&self) -> Arc<dyn EventStore> {
        self.0.clone()
    }

    async fn restart(&mut self) {}
}

async fn in_memory() -> InMemory {
    InMemory(Arc::default())
}

event_store_contract!(in_memory);
