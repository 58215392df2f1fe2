//! What every bounded context shares: ids, JSON values, versioned events, refusals and the aggregate contract.
//!
//! Contexts refer to each other only through [`ids`].

mod aggregate;
mod event;
pub mod given;
pub mod ids;
mod json;
mod measure;
mod refusal;
#[cfg(test)]
mod tests;

pub use aggregate::{Aggregate, Decision, Version};
pub use event::{DecodeError, EventSet, FirstVersion, Versioned, decode_versioned};
pub use json::{Json, Number};
pub use measure::{MAX_DEPTH, Measure};
pub use refusal::{Refusal, RefusalKind};
