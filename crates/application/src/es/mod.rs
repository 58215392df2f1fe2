//! The event-sourcing kernel: the log as a port, the pure planner its adapters share, and the repository on top.
//!
//! One ordered log holds all events. Positions have no gaps and follow commit order: a reader that has seen position
//! *p* never later meets a smaller one. Everything published to the outside is derived from the log by subscriptions.

mod actor_name;
mod append;
pub mod chain;
mod facts;
mod history;
mod moment;
pub mod planner;
mod prepared;
mod recorded;
mod repeated;
mod repository;
mod set_aside;
mod store;
mod subscription;
mod walk;

pub use actor_name::ActorName;
pub use append::{
    AppendError, AppendRequest, Appended, Claim, ClaimChange, Idempotency, NewEvent, Precondition, StreamWrite, Written,
};
pub use facts::{Facts, KeyFacts, LogHead, Plan, PlannedEvent, PlannedKey, Rejection, ScopedKey, StreamFacts, Wanted};
pub use history::{HistoryEntry, Public};
pub use moment::{Moment, Recalled};
pub use prepared::{LONGEST_KEY, Prepared};
pub use recorded::{EventContext, Page, Position, RecordedEvent, StreamId};
pub use repository::{Created, Loaded, Repository, Updated};
pub use set_aside::{Aside, SetAside, SettingAside};
pub use store::{EventFilter, EventStore, PAGE_BYTES, Rewindable, SeenHead, goes_on};
pub use subscription::{Checkpoints, Halt, Lease, Reaction, Reader, Stopped, Subscription, passes};
pub(crate) use walk::walk;
