//! The event log on SQLite and PostgreSQL, and what is derived from it by replaying.

mod batch;
mod checkpoints;
mod copy;
mod facts;
mod known;
mod projection;
mod rebuild;
mod replay;
mod reserved;
mod rows;
mod set_aside;
mod statements;
mod store;
mod subscriptions;
mod tail;
mod time;
mod verify;
mod write;
mod writer;

pub use checkpoints::SqlCheckpoints;
pub use projection::{PerStream, Projection, ProjectionError, ROWS_AT_ONCE, StreamRows};
pub use rebuild::rebuild;
pub use replay::Replay;
pub use set_aside::SqlSetAside;
pub(crate) use statements::statement;
pub use store::SqlEventStore;
pub use subscriptions::{Runner, SubscriptionState, Waiting, ahead_of_time, resume_after, subscriptions};
pub use verify::{ClaimLaw, Fault, HeldByEach, Holder, Holders, Holding, Law, Verdict, verify};
