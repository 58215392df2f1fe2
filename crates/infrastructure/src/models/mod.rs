//! Language models over HTTP: two protocols, one way of sending, reading and failing.

mod anthropic;
mod endpoint;
mod failure;
mod openai;
mod provider;
mod sse;
mod wire;

pub use endpoint::{Endpoint, Patience};
pub use provider::ProviderModels;
pub use wire::Wire;
