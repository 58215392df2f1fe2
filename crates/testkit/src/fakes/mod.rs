//! Adapters that live in memory and pass the same contracts as the real ones.

mod checkpoints;
mod clock;
mod event_store;
mod ids;

pub use checkpoints::InMemoryCheckpoints;
pub use clock::FixedClock;
pub use event_store::InMemoryEventStore;
pub use ids::SequentialIds;
