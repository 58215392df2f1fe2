//! Tools that runs may call: builtin ones, which are pure, and requests to the outside, which obey the egress rules.

mod answer;
mod body;
mod builtin;
mod document;
mod egress;
mod executor;
mod http;
mod injection;
mod mcp;
mod parse;
mod redaction;
mod request;

pub(crate) use answer::retry_after;
pub(crate) use egress::{Admission, GuardedResolver};
pub use egress::{EgressPolicy, EgressRefused, InvalidAllowance, is_public};
pub use executor::Tools;
pub(crate) use http::{client, refusal};
